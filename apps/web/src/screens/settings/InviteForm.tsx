// Asks somebody to come: an address to know them by and a role. The answer is a link, shown once.
import { Button, Group, Modal, Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { $api, toProblem } from "../../api/client";
import { useSession } from "../../api/session";
import type { LinkView, Role } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { LinkOnce } from "./LinkOnce";
import { ROLES } from "./scopes";
import { useAfterwards } from "./useAfterwards";

export function InviteForm({ onClose }: { onClose: () => void }) {
  const [link, setLink] = useState<LinkView | null>(null);
  const [error, setError] = useState<unknown>(null);
  const isOwner = useSession().role === "owner";
  const invite = $api.useMutation("post", "/api/v1/invitations");
  const afterwards = useAfterwards("/api/v1/invitations");
  const form = useForm<{ email: string; role: Role }>({
    initialValues: { email: "", role: "member" },
    validate: { email: (email) => (/^\S+@\S+$/.test(email.trim()) ? null : "Enter an e-mail address.") },
  });
  if (link !== null) return <LinkOnce link={link} onClose={onClose} />;
  const save = form.onSubmit(async ({ email, role }) => {
    setError(null);
    try {
      const made = await invite.mutateAsync({ body: { email: email.trim(), role } });
      setLink(made);
      await afterwards(`${email.trim()} is invited.`);
    } catch (refusal) {
      form.setErrors(toProblem(refusal).fieldErrors());
      setError(refusal);
    }
  });
  return (
    <Modal opened onClose={onClose} title="Invite somebody" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={save}>
        <Stack>
          <TextInput
            label="E-mail"
            type="email"
            description="They log in with it."
            data-autofocus
            {...form.getInputProps("email")}
          />
          <Radio.Group label="Role" {...form.getInputProps("role")}>
            <Stack gap="sm" mt={4}>
              {ROLES.filter(({ role }) => isOwner || role !== "owner").map(({ role, label, help }) => (
                <Radio key={role} value={role} label={label} description={help} />
              ))}
            </Stack>
          </Radio.Group>
          {error !== null && <ErrorState title="The invitation could not be made" error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={form.submitting}>
              Make invitation link
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
