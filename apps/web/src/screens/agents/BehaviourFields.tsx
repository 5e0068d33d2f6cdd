// The choices about how an agent works with people: whether its replies wait for somebody, and what becomes of
// messages that arrive while it works. The same words where an agent is made and where it is changed.
import { Group, NumberInput, Radio, Stack, Text } from "@mantine/core";
import type { Budget } from "./agentForm";
import type { AgentView } from "./types";

type Choice<Value> = { value: Value; onChange: (value: Value) => void; error?: React.ReactNode };

const REPLIES = [
  { value: "auto", label: "Send at once", help: "Its replies leave without anybody looking at them." },
  { value: "approve", label: "Wait for approval", help: "Every reply is held as a draft until a person approves it." },
] as const;

export function ReplyPolicyField({ value, onChange, error }: Choice<AgentView["reply_policy"]>) {
  return (
    <Choices
      label="Replies"
      options={REPLIES}
      value={value}
      error={error}
      onChange={(picked) => onChange(picked as AgentView["reply_policy"])}
    />
  );
}

const STEERING = [
  {
    value: "steer",
    label: "Steer the running job",
    help: "It takes them in at its next step, as if somebody spoke up.",
  },
  { value: "queue", label: "Queue them", help: "Each gets a job of its own afterwards, in order." },
  { value: "merge", label: "Merge them", help: "All that waited become one job afterwards." },
] as const;

export function SteeringField({ value, onChange, error }: Choice<AgentView["steering"]>) {
  return (
    <Choices
      label="Messages that arrive while it works"
      options={STEERING}
      value={value}
      error={error}
      onChange={(picked) => onChange(picked as AgentView["steering"])}
    />
  );
}

type ChoicesProps = Choice<string> & {
  label: string;
  options: readonly { value: string; label: string; help: string }[];
};

function Choices({ label, options, value, onChange, error }: ChoicesProps) {
  return (
    <Radio.Group label={label} value={value} onChange={onChange} error={error}>
      <Stack gap="sm" mt={4}>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} label={option.label} description={option.help} />
        ))}
      </Stack>
    </Radio.Group>
  );
}

type BudgetProps = Choice<Budget> & {
  /** A new agent may leave it to the server. */
  mayDefault?: boolean;
};

export function BudgetField({ value, onChange, error, mayDefault = false }: BudgetProps) {
  return (
    <Radio.Group
      label="Budget per day"
      description="What it may spend on models in a UTC day. A job that would go over it is refused before it costs anything."
      value={value.kind}
      onChange={(kind) =>
        onChange(kind === "limited" ? { kind, dollars: 5 } : { kind: kind as "default" | "unlimited" })
      }
    >
      <Stack gap="sm" mt={4}>
        {mayDefault && <Radio value="default" label="The server's default" />}
        <Group gap="md">
          <Radio value="limited" label="At most" />
          <NumberInput
            aria-label="Budget per day in US dollars"
            w={140}
            prefix="$"
            min={0}
            decimalScale={6}
            step={1}
            disabled={value.kind !== "limited"}
            error={value.kind === "limited" && Boolean(error)}
            value={value.kind === "limited" ? value.dollars : ""}
            onChange={(dollars) => onChange({ kind: "limited", dollars })}
          />
        </Group>
        {value.kind === "limited" && error && (
          <Text size="xs" c="var(--mantine-color-error)" role="alert">
            {error}
          </Text>
        )}
        <Radio value="unlimited" label="Unlimited" />
      </Stack>
    </Radio.Group>
  );
}
