// The settings of single sign-on, in the order in which an issuer's console shows them, then what the people who come
// through it may do.
import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  Paper,
  PasswordInput,
  Select,
  Stack,
  TextInput,
  Title,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { $api, toProblem } from "../../api/client";
import { useIsOwner } from "../../api/session";
import type { OidcView } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { bodyOf, issuerProblem, type OidcValues, scopesProblem, valuesOf } from "./oidcForm";
import { ROLES } from "./scopes";
import { useAfterwards } from "./useAfterwards";

const ROLE_CHOICES = ROLES.map(({ role, label }) => ({ value: role, label }));

function useOidcForm(oidc: OidcView | null) {
  return useForm<OidcValues>({
    initialValues: valuesOf(oidc),
    validate: {
      name: (name) => (name.trim() === "" ? "Give it a name: it is on the login button." : null),
      issuer: issuerProblem,
      client_id: (id) => (id.trim() === "" ? "The issuer gives you a client id." : null),
      scopes: scopesProblem,
    },
  });
}

export function OidcForm({ oidc }: { oidc: OidcView | null }) {
  const mayChange = useIsOwner();
  const [error, setError] = useState<unknown>(null);
  const save = $api.useMutation("put", "/api/v1/settings/oidc");
  const afterwards = useAfterwards("/api/v1/settings/oidc", "/api/v1/access");
  const form = useOidcForm(oidc);
  const submit = form.onSubmit(async (values) => {
    setError(null);
    try {
      await save.mutateAsync({ body: bodyOf(values) });
      form.setFieldValue("client_secret", "");
      await afterwards("Single sign-on is saved.");
    } catch (refusal) {
      form.setErrors(toProblem(refusal).fieldErrors());
      setError(refusal);
    }
  });
  return (
    <Paper p="lg" component="form" onSubmit={submit} maw={720}>
      <fieldset disabled={!mayChange} style={{ border: 0, margin: 0, padding: 0 }}>
        <Stack>
          <TextInput
            label="Name"
            description="On the button of the login page."
            placeholder="Company login"
            {...form.getInputProps("name")}
          />
          <TextInput label="Issuer" placeholder="https://login.example.com" {...form.getInputProps("issuer")} />
          <TextInput label="Client id" autoComplete="off" {...form.getInputProps("client_id")} />
          <PasswordInput
            label="Client secret"
            description={
              oidc
                ? "Stored encrypted. Leave this empty to keep the stored one."
                : "Stored encrypted. It is never shown again."
            }
            autoComplete="off"
            visibilityToggleButtonProps={{ "aria-label": "Show what is typed" }}
            {...form.getInputProps("client_secret")}
          />
          <TextInput label="Scopes" description="Separated by spaces." {...form.getInputProps("scopes")} />
          <Title order={3}>Who gets in as what</Title>
          <TextInput
            label="Role claim"
            description="The claim that holds somebody's groups or roles, as in groups or realm_access.roles. Empty: the issuer does not decide on roles."
            placeholder="groups"
            {...form.getInputProps("role_claim")}
          />
          {form.values.role_claim.trim() !== "" && <RoleRows form={form} />}
          <Select
            label="Everybody else"
            description="People the issuer lets in and nothing above names. Who has a password here keeps their role."
            data={[
              { value: "", label: "Refused, unless invited" },
              ...ROLE_CHOICES.filter(({ value }) => value !== "owner"),
            ]}
            allowDeselect={false}
            {...form.getInputProps("default_role")}
          />
          <Checkbox
            label="Know people by their e-mail"
            description="Somebody with a login or an invitation here under the same verified e-mail is the same person."
            {...form.getInputProps("link_by_email", { type: "checkbox" })}
          />
          {error !== null && <ErrorState title="Single sign-on could not be saved" error={error} />}
          {mayChange && (
            <Group>
              <Button type="submit" loading={form.submitting}>
                Save single sign-on
              </Button>
            </Group>
          )}
        </Stack>
      </fieldset>
    </Paper>
  );
}

function RoleRows({ form }: { form: ReturnType<typeof useOidcForm> }) {
  return (
    <Stack gap="sm">
      {form.values.roles.map((row, index) => (
        <Group key={row.key} gap="sm" align="flex-end" wrap="nowrap">
          <TextInput
            aria-label="Value of the claim"
            placeholder="value of the claim"
            style={{ flex: 1 }}
            {...form.getInputProps(`roles.${index}.value`)}
          />
          <Select
            aria-label="Role for it"
            w={120}
            data={ROLE_CHOICES}
            allowDeselect={false}
            {...form.getInputProps(`roles.${index}.role`)}
          />
          <ActionIcon
            size="lg"
            aria-label={`Remove ${row.value || "this row"}`}
            onClick={() => form.removeListItem("roles", index)}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      <Group>
        <Button
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => form.insertListItem("roles", { key: String(Date.now()), value: "", role: "member" })}
        >
          Add a value
        </Button>
      </Group>
    </Stack>
  );
}
