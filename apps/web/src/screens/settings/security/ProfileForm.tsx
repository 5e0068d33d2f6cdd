// The name by which others see me.
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api } from "../../../api/client";
import { sessionKey } from "../../../api/session";
import type { UserView } from "../../../api/types";
import { ErrorState } from "../../../components/ErrorState";
import { notifyDone } from "../../../components/notify";
import { unplaced } from "./refusal";

export function ProfileForm({ user }: { user: UserView }) {
  const cache = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const save = $api.useMutation("patch", "/api/v1/me");
  const form = useForm({
    initialValues: { name: user.name },
    validate: { name: (name) => (name.trim() === "" ? "Enter your name." : null) },
  });
  const send = async (values: { name: string }) => {
    setError(null);
    try {
      await save.mutateAsync({ body: { name: values.name.trim() } });
      await cache.invalidateQueries({ queryKey: sessionKey });
      form.resetDirty();
      notifyDone("Your name was changed.");
    } catch (refusal) {
      setError(unplaced(refusal, form, ["name"]));
    }
  };
  return (
    <form onSubmit={form.onSubmit(send)}>
      <Stack gap="md" maw={384}>
        <TextInput label="Name" autoComplete="name" {...form.getInputProps("name")} />
        {error !== null && <ErrorState error={error} title="Your name was not changed" />}
        <Group>
          <Button type="submit" variant="default" disabled={!form.isDirty()} loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
