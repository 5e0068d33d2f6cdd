// A new password, for somebody who knows the present one.
import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api } from "../../../api/client";
import { ErrorState } from "../../../components/ErrorState";
import { notifyDone } from "../../../components/notify";
import { passwordProblem } from "../../access/password";
import { unplaced } from "./refusal";

const EMPTY = { current_password: "", new_password: "", repeated: "" };

export function PasswordForm({ email }: { email: string }) {
  const cache = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const change = $api.useMutation("post", "/api/v1/me/password");
  const form = useForm({
    initialValues: EMPTY,
    validate: {
      current_password: (password) => (password === "" ? "Enter your present password." : null),
      new_password: passwordProblem,
      repeated: (repeated, values) => (repeated === values.new_password ? null : "The two are not the same."),
    },
  });
  const send = async ({ current_password, new_password }: typeof EMPTY) => {
    setError(null);
    try {
      await change.mutateAsync({ body: { current_password, new_password } });
      form.reset();
      notifyDone("Your password was changed, and your other sessions ended.");
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/sessions"] });
    } catch (refusal) {
      setError(unplaced(refusal, form, Object.keys(EMPTY)));
    }
  };
  const reveal = (what: string) => ({ "aria-label": `Show the ${what}`, tabIndex: 0 });
  return (
    <form onSubmit={form.onSubmit(send)}>
      <Stack gap="md" maw={384}>
        {/* For password managers, which want to know whose password it is. */}
        <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
        <PasswordInput
          label="Present password"
          autoComplete="current-password"
          visibilityToggleButtonProps={reveal("present password")}
          {...form.getInputProps("current_password")}
        />
        <PasswordInput
          label="New password"
          autoComplete="new-password"
          visibilityToggleButtonProps={reveal("new password")}
          {...form.getInputProps("new_password")}
        />
        <PasswordInput
          label="The new one again"
          autoComplete="new-password"
          visibilityToggleButtonProps={reveal("repeated password")}
          {...form.getInputProps("repeated")}
        />
        {error !== null && <ErrorState error={error} title="Your password was not changed" />}
        <Group>
          <Button type="submit" variant="default" loading={change.isPending}>
            Change password
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
