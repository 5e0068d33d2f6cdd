// Makes a token: whose it is, how much it may do per area and when it ends. Nothing above the role is offered, and
// the usual choice is a token that ends.
import { Button, Checkbox, Group, Modal, Radio, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { $api, toProblem } from "../../api/client";
import { useMay, useSession } from "../../api/session";
import type { NewTokenView, Role } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { Secret } from "../../components/Secret";
import { EXPIRIES, type Expiry, expiresAt } from "./expiry";
import { ScopePicker } from "./ScopePicker";
import { type Rights, ROLES, rightsOf, scopesOf } from "./scopes";
import { useAfterwards } from "./useAfterwards";

type Values = {
  name: string;
  kind: "personal" | "service";
  role: Role;
  isLimited: boolean;
  rights: Rights;
  expiry: Expiry;
};

export function TokenForm({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const maySpeakForServices = useMay("people", "administer");
  const mayOwnTokens = session.user !== null;
  const [made, setMade] = useState<NewTokenView | null>(null);
  const [error, setError] = useState<unknown>(null);
  const create = $api.useMutation("post", "/api/v1/tokens");
  const afterwards = useAfterwards("/api/v1/tokens");
  const mostOf = ({ kind, role }: Values): Rights => (kind === "service" ? rightsOf(role) : session.rights);
  const form = useForm<Values>({
    initialValues: {
      name: "",
      kind: mayOwnTokens ? "personal" : "service",
      role: "member",
      isLimited: true,
      rights: {},
      expiry: "90",
    },
    validate: {
      name: (name) => (name.trim() === "" ? "Give it a name, so that you know later what it was for." : null),
      rights: (rights, values) =>
        values.isLimited && scopesOf(rights, mostOf(values)).length === 0
          ? "Choose at least one area, or let it do all its role may."
          : null,
    },
  });
  const { kind, isLimited } = form.values;

  const save = form.onSubmit(async (values) => {
    setError(null);
    try {
      const token = await create.mutateAsync({
        body: {
          name: values.name.trim(),
          kind: values.kind,
          ...(values.kind === "service" ? { role: values.role } : {}),
          scopes: values.isLimited ? scopesOf(values.rights, mostOf(values)) : null,
          expires_at: expiresAt(values.expiry, Date.now()) ?? undefined,
        },
      });
      setMade(token);
      await afterwards(`The token ${token.name} is made.`);
    } catch (refusal) {
      form.setErrors(toProblem(refusal).fieldErrors());
      setError(refusal);
    }
  });

  if (made !== null) return <Made token={made} onClose={onClose} />;
  return (
    <Modal opened onClose={onClose} title="New token" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={save}>
        <Stack>
          <TextInput
            label="Name"
            description="What it is for."
            placeholder="nightly report"
            data-autofocus
            {...form.getInputProps("name")}
          />
          {mayOwnTokens && maySpeakForServices && (
            <Radio.Group label="Whose it is" {...form.getInputProps("kind")}>
              <Stack gap="sm" mt={4}>
                <Radio
                  value="personal"
                  label="Personal"
                  description="Acts as you. Your role of the moment counts, and it ends with your login."
                />
                <Radio
                  value="service"
                  label="Service"
                  description="Acts as itself, with a role of its own. It stays when you leave."
                />
              </Stack>
            </Radio.Group>
          )}
          {kind === "service" && (
            <Select
              label="Role"
              allowDeselect={false}
              data={ROLES.filter((one) => session.role === "owner" || one.role !== "owner").map((one) => ({
                value: one.role,
                label: one.label,
              }))}
              {...form.getInputProps("role")}
            />
          )}
          <Checkbox
            label="Limit it to what it needs"
            description="Without a limit it may do all that its role may."
            {...form.getInputProps("isLimited", { type: "checkbox" })}
          />
          {isLimited && (
            <ScopePicker
              most={mostOf(form.values)}
              value={form.values.rights}
              onChange={(rights) => form.setFieldValue("rights", rights)}
              error={form.errors.rights}
            />
          )}
          <Select label="Expires" allowDeselect={false} data={[...EXPIRIES]} {...form.getInputProps("expiry")} />
          {error !== null && <ErrorState title="The token could not be made" error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={form.submitting}>
              Make token
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Made({ token, onClose }: { token: NewTokenView; onClose: () => void }) {
  return (
    <Modal
      opened
      onClose={onClose}
      title={`The token ${token.name}`}
      size="lg"
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        <Secret title="Your new token" value={token.token}>
          Send it as <code>Authorization: Bearer …</code> with every request.
        </Secret>
        <Group justify="flex-end">
          <Button onClick={onClose}>I have copied it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
