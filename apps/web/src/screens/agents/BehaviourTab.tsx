// Everything about an agent that is a choice and not a text: its name and model, its tools, what becomes of its
// replies, what it may spend and where it stops. One form, because people compare these before they save.
import { Accordion, Button, Divider, Group, NumberInput, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ErrorState } from "../../components/ErrorState";
import { notifyDone } from "../../components/notify";
import { UnsavedGuard } from "../../components/UnsavedGuard";
import { afterSaving } from "../../lib/afterSaving";
import { ApproversField } from "./ApproversField";
import {
  type AgentValues,
  budgetProblem,
  changesOf,
  type LimitValues,
  LOOP_LIMITS,
  limitChanges,
  limitProblems,
  modelProblem,
  nameProblem,
  valuesOf,
} from "./agentForm";
import { BudgetField, ReplyPolicyField, SteeringField } from "./BehaviourFields";
import { ModelPicker } from "./ModelPicker";
import { ToolPicker } from "./ToolPicker";
import type { AgentView, UpdateAgent } from "./types";
import { useSaveAgent } from "./useSaveAgent";

type Values = Omit<AgentValues, "instructions" | "enabled"> & {
  loop_limits: LimitValues;
  approvers: AgentView["approvers"];
};

function formValues(agent: AgentView): Values {
  const { instructions: _text, enabled: _switch, ...values } = valuesOf(agent);
  return { ...values, loop_limits: { ...agent.loop_limits }, approvers: agent.approvers };
}

function changeOf(agent: AgentView, { loop_limits, approvers, ...values }: Values): UpdateAgent {
  const limits = limitChanges(agent.loop_limits, loop_limits);
  return {
    ...changesOf(agent, values),
    ...(Object.keys(limits).length > 0 ? { loop_limits: limits } : {}),
    ...(sameApprovers(agent.approvers, approvers) ? {} : { approvers }),
  };
}

function sameApprovers(left: AgentView["approvers"], right: AgentView["approvers"]): boolean {
  return left.min_role === right.min_role && left.user_ids.join() === right.user_ids.join();
}

/** Each loop limit is a field of its own. */
function valuesAfter(sent: Values, typed: Values, saved: Values): Values {
  const loop_limits = afterSaving(sent.loop_limits, typed.loop_limits, saved.loop_limits);
  return { ...afterSaving(sent, typed, saved), loop_limits };
}

export function BehaviourTab({ agent }: { agent: AgentView }) {
  // What was on the screen when typing began: what others change meanwhile is neither undone nor overwritten.
  const [base, setBase] = useState(agent);
  const [openPanel, setOpenPanel] = useState<string | null>(null);
  const { save, problem, isSaving } = useSaveAgent(agent.id);
  const form = useForm<Values>({
    initialValues: formValues(base),
    validate: (values) => ({
      name: nameProblem(values.name),
      model: modelProblem(values.model),
      budget: budgetProblem(values.budget),
      ...Object.fromEntries(
        Object.entries(limitProblems(values.loop_limits)).map(([key, text]) => [`loop_limits.${key}`, text]),
      ),
    }),
  });
  const { values } = form;
  const change = changeOf(base, values);
  const hasLimitErrors = Object.keys(form.errors).some((name) => name.startsWith("loop_limits."));
  const isChanged = Object.keys(change).length > 0;
  const field = <Key extends keyof Values & string>(key: Key) => ({
    value: values[key],
    onChange: (value: Values[Key]) => form.setValues({ [key]: value } as Partial<Values>),
    error: form.errors[key],
  });

  const submit = form.onSubmit(async (sent) => {
    const saved = await save(change, form);
    if (!saved) return;
    setBase(saved);
    form.setValues(valuesAfter(sent, form.getValues(), formValues(saved)));
    notifyDone(`${saved.name} was saved.`);
  });

  return (
    <form onSubmit={submit} noValidate>
      <UnsavedGuard when={isChanged} />
      <Stack gap="xl" maw={680}>
        <TextInput label="Name" description="People call it by this name in chats." {...form.getInputProps("name")} />
        <ModelPicker {...field("model")} />
        <Divider />
        <ReplyPolicyField {...field("reply_policy")} />
        <ApproversField value={values.approvers} onChange={(approvers) => form.setValues({ approvers })} />
        <SteeringField {...field("steering")} />
        <Divider />
        <BudgetField {...field("budget")} />
        <Divider />
        <ToolPicker {...field("tools")} />
        <Accordion variant="separated" value={hasLimitErrors ? "limits" : openPanel} onChange={setOpenPanel}>
          <Accordion.Item value="limits">
            <Accordion.Control>Loop limits</Accordion.Control>
            <Accordion.Panel>
              <Text size="sm" c="dimmed" mb="md">
                They keep bots from answering each other for ever, and jobs from doing the same thing again and again.
              </Text>
              <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
                {LOOP_LIMITS.map(({ key, label, help, unit, least, most }) => (
                  <NumberInput
                    key={key}
                    label={label}
                    description={help}
                    suffix={` ${unit}`}
                    min={least}
                    max={most}
                    clampBehavior="none"
                    allowDecimal={false}
                    {...form.getInputProps(`loop_limits.${key}`)}
                  />
                ))}
              </SimpleGrid>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
        {problem !== null && <ErrorState error={problem} title={`${agent.name} was not saved`} />}
        <Group gap="sm">
          <Button type="submit" disabled={!isChanged} loading={isSaving}>
            Save changes
          </Button>
          <Button variant="default" disabled={!isChanged} onClick={() => form.setValues(formValues(base))}>
            Discard
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
