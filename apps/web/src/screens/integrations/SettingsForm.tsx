// Changing an integration: its name, the settings of its type, and which agents see it. Secrets that were not
// touched are not sent.
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ErrorState } from "../../components/ErrorState";
import { notifyDone } from "../../components/notify";
import { UnsavedGuard } from "../../components/UnsavedGuard";
import { afterSaving } from "../../lib/afterSaving";
import { AgentsField } from "./AgentsField";
import { ConfigFields } from "./ConfigFields";
import type { ChannelDescriptor } from "./channelTypes";
import { type ConfigValues, configPatch, configProblems, valuesOf } from "./configForm";
import type { IntegrationView, UpdateIntegration } from "./types";
import { useSaveIntegration } from "./useIntegration";

type Values = { name: string; agent_ids: string[] | null; config: ConfigValues };
type Props = { integration: IntegrationView; channel: ChannelDescriptor };

function formValues(channel: ChannelDescriptor, integration: IntegrationView): Values {
  const { name, agent_ids, config } = integration;
  return { name, agent_ids, config: valuesOf(channel, config) };
}

function changeOf(channel: ChannelDescriptor, base: IntegrationView, values: Values): UpdateIntegration {
  const config = configPatch(channel, base.config, values.config);
  const before = base.agent_ids && [...base.agent_ids].sort().join();
  const after = values.agent_ids && [...values.agent_ids].sort().join();
  return {
    ...(values.name.trim() === base.name ? {} : { name: values.name.trim() }),
    ...(before === after ? {} : { agent_ids: values.agent_ids }),
    ...(Object.keys(config).length === 0 ? {} : { config }),
  };
}

function differs(change: UpdateIntegration): boolean {
  return Object.keys(change).length > 0;
}

/** Each setting of the type is a field of its own. */
function valuesAfter(sent: Values, typed: Values, saved: Values): Values {
  return { ...afterSaving(sent, typed, saved), config: afterSaving(sent.config, typed.config, saved.config) };
}

export function SettingsForm({ integration, channel }: Props) {
  const [base, setBase] = useState(integration);
  const [foldedAt, setFoldedAt] = useState(integration.updated_at);
  const { save, problem, isSaving } = useSaveIntegration(integration.id);
  const form = useForm<Values>({
    initialValues: formValues(channel, base),
    validate: (values) => ({
      name: values.name.trim() === "" ? "Give it a name." : null,
      ...Object.fromEntries(
        Object.entries(configProblems(channel, values.config, base.secrets)).map(([field, text]) => [
          `config.${field}`,
          text,
        ]),
      ),
    }),
  });
  const change = changeOf(channel, base, form.values);
  const isChanged = differs(change);
  const submit = form.onSubmit(async (sent) => {
    const shows = (field: string) => field === "name" || field === "agent_ids" || field.startsWith("config.");
    const saved = await save(change, { shows, setErrors: form.setErrors });
    if (!saved) return;
    setBase(saved);
    const values = valuesAfter(sent, form.getValues(), formValues(channel, saved));
    form.setValues(values);
    // Fields that fold would take the focus from somebody who types on.
    if (!differs(changeOf(channel, saved, values))) setFoldedAt(saved.updated_at);
    notifyDone(`${saved.name} was saved. Test the connection to be sure.`);
  });

  return (
    <form onSubmit={submit} noValidate>
      <UnsavedGuard when={isChanged} />
      <Stack gap="lg">
        <TextInput label="Name" {...form.getInputProps("name")} />
        {/* What is stored decides which secrets show their field: after saving they fold away again. */}
        <ConfigFields
          key={foldedAt}
          channel={channel}
          form={form}
          stored={base.secrets}
          onRegenerate={async (field) => {
            const saved = await save({ config: { [field]: null } });
            if (saved) notifyDone("A new secret was made.");
          }}
        />
        <div id="agents">
          <AgentsField
            value={form.values.agent_ids}
            onChange={(agent_ids) => form.setValues({ agent_ids })}
            error={form.errors.agent_ids}
          />
        </div>
        {problem !== null && <ErrorState error={problem} title="The settings were not saved" />}
        <Group gap="sm">
          <Button type="submit" disabled={!isChanged} loading={isSaving}>
            Save settings
          </Button>
          <Button variant="default" disabled={!isChanged} onClick={() => form.setValues(formValues(channel, base))}>
            Discard
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
