// Connecting a channel in three steps: what it needs from the vendor, how it shall work, and a test against the
// real thing that ends with a greeting. It is made before the test, because only what is stored can be tested.
import { Anchor, Button, Code, Group, List, Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconExternalLink } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ErrorState } from "../../components/ErrorState";
import { TextLink } from "../../components/Links";
import { NotAllowed } from "../../components/NotAllowed";
import { Page } from "../../components/Page";
import { Steps } from "../../components/Steps";
import { placeErrors } from "../../lib/fieldErrors";
import { AgentsField } from "./AgentsField";
import { ConfigFields } from "./ConfigFields";
import { type ChannelDescriptor, channelOf, connectable, type SetupStep } from "./channelTypes";
import { type ConfigValues, configProblems, emptyValues, newConfig, stepOfField } from "./configForm";
import { SetupDone } from "./SetupDone";
import type { ChannelType, CreateIntegration } from "./types";

type Values = { name: string; agent_ids: string[] | null; config: ConfigValues };

export function NewIntegrationScreen() {
  const search = useSearch({ from: "/shell/integrations/new" });
  const types = connectable();
  const mayCreate = useMay("integrations", "administer");
  const [type, setType] = useState(() => types.find(([one]) => one === search.type)?.[0] ?? types[0]?.[0]);
  const [madeId, setMadeId] = useState<string | null>(null);
  return (
    <Page
      title={type === undefined ? "Connect" : `Connect ${channelOf(type).label}`}
      back={
        <TextLink to="/integrations" size="sm">
          Integrations
        </TextLink>
      }
    >
      <Stack gap="xl" maw={680}>
        {!mayCreate && <NotAllowed what="Connecting channels" />}
        {mayCreate && types.length > 1 && madeId === null && (
          <Radio.Group
            label="What do you want to connect?"
            value={type}
            onChange={(next) => setType(next as ChannelType)}
          >
            <Stack gap="sm" mt="xs">
              {types.map(([value, channel]) => (
                <Radio key={value} value={value} label={channel.label} description={channel.summary} />
              ))}
            </Stack>
          </Radio.Group>
        )}
        {/* Another type asks other things: it begins anew. */}
        {mayCreate && type !== undefined && <Setup key={type} type={type} madeId={madeId} onMade={setMadeId} />}
      </Stack>
    </Page>
  );
}

type SetupProps = { type: ChannelType; madeId: string | null; onMade: (id: string) => void };

function Setup({ type, madeId, onMade }: SetupProps) {
  const channel = channelOf(type);
  const [step, setStep] = useState(0);
  const [problem, setProblem] = useState<unknown>(null);
  const cache = useQueryClient();
  const create = $api.useMutation("post", "/api/v1/integrations");
  const form = useForm<Values>({
    initialValues: { name: channel.suggestedName, agent_ids: null, config: emptyValues(channel) },
    validate: (values) => refusals(channel, values),
  });
  const isLast = step === channel.steps.length - 1;

  /** Goes on, unless something on this step is wrong. */
  const goOn = () => {
    const errors = refusals(channel, form.values);
    const here = Object.keys(errors).filter((field) => placeOf(channel, field) <= step);
    form.setErrors(Object.fromEntries(here.map((field) => [field, errors[field]])));
    if (here.length === 0) setStep(step + 1);
  };
  const submit = form.onSubmit(async (values) => {
    setProblem(null);
    try {
      const { name, agent_ids } = values;
      const config = newConfig(channel, values.config);
      const body = { type, name: name.trim(), agent_ids, config } as CreateIntegration;
      const made = await create.mutateAsync({ body });
      void cache.invalidateQueries({ queryKey: ["get", "/api/v1/integrations"] });
      void cache.invalidateQueries({ queryKey: ["get", "/api/v1/overview"] });
      onMade(made.id);
    } catch (error) {
      const shows = (field: string) => field === "name" || field === "agent_ids" || field.startsWith("config.");
      const placed = placeErrors(error, shows, { codes: { name_taken: "name" } });
      form.setErrors(placed.errors);
      if (!placed.isComplete) setProblem(error);
      const first = Object.keys(placed.errors)[0];
      if (first !== undefined) setStep(placeOf(channel, first));
    }
  });

  const steps = [...channel.steps.map((one) => one.title), "Test"];
  const current = channel.steps[step];
  if (madeId !== null)
    return (
      <>
        <Steps steps={steps} active={channel.steps.length} />
        <SetupDone id={madeId} />
      </>
    );
  return (
    <>
      <Steps steps={steps} active={step} />
      <form
        noValidate
        onSubmit={(event) => {
          if (isLast) return submit(event);
          event.preventDefault();
          goOn();
        }}
      >
        <Stack gap="lg">
          {current && <Instructions step={current} />}
          {step === 0 && (
            <TextInput
              label="Name"
              description="For you and your colleagues; people who write to it do not see it."
              {...form.getInputProps("name")}
            />
          )}
          {current && <ConfigFields channel={channel} names={current.fields} form={form} />}
          {isLast && (
            <AgentsField
              value={form.values.agent_ids}
              onChange={(agent_ids) => form.setValues({ agent_ids })}
              error={form.errors.agent_ids}
            />
          )}
          {problem !== null && <ErrorState error={problem} title="It was not connected" />}
          <Group gap="sm">
            {step > 0 && (
              <Button variant="default" onClick={() => setStep(step - 1)}>
                Back
              </Button>
            )}
            <Button type="submit" loading={create.isPending}>
              {isLast ? "Connect and test" : "Go on"}
            </Button>
          </Group>
        </Stack>
      </form>
    </>
  );
}

function refusals(channel: ChannelDescriptor, values: Values): Record<string, string> {
  const config = configProblems(channel, values.config, {});
  return {
    ...(values.name.trim() === "" ? { name: "Give it a name." } : {}),
    ...Object.fromEntries(Object.entries(config).map(([field, text]) => [`config.${field}`, text])),
  };
}

/** On which step a field is; what no step shows is asked for on the last. */
function placeOf(channel: ChannelDescriptor, field: string): number {
  const last = channel.steps.length - 1;
  if (field === "name") return 0;
  return field.startsWith("config.") ? (stepOfField(channel, field.slice("config.".length)) ?? last) : last;
}

function Instructions({ step }: { step: SetupStep }) {
  if (step.instructions.length === 0) return null;
  return (
    <Stack gap="sm">
      <List type="ordered" size="sm" spacing="xs">
        {step.instructions.map((sentence) => (
          <List.Item key={sentence}>
            {sentence.split("`").map((part, place) => (place % 2 === 1 ? <Code key={part}>{part}</Code> : part))}
          </List.Item>
        ))}
      </List>
      {step.link && (
        <Anchor href={step.link.href} target="_blank" rel="noreferrer" size="sm" w="fit-content">
          {step.link.label} <IconExternalLink size={12} aria-hidden />
        </Anchor>
      )}
    </Stack>
  );
}
