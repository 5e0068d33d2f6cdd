// What the agent's people want of it, as long as they like. Typed text is never lost to a stray click: leaving asks.
import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useMay } from "../../api/session";
import { ErrorState } from "../../components/ErrorState";
import { notifyDone } from "../../components/notify";
import { UnsavedGuard } from "../../components/UnsavedGuard";
import { afterSaving } from "../../lib/afterSaving";
import { MAX_INSTRUCTIONS } from "./agentForm";
import type { AgentView } from "./types";
import { useSaveAgent } from "./useSaveAgent";

export function InstructionsTab({ agent }: { agent: AgentView }) {
  const mayChange = useMay("agents", "administer") && agent.archived_at === null;
  const { save, problem, isSaving } = useSaveAgent(agent.id);
  // What was on the screen when typing began.
  const [base, setBase] = useState(agent.instructions);
  const form = useForm({ initialValues: { instructions: base } });
  const { instructions } = form.values;
  const isChanged = instructions !== base;
  const length = [...instructions].length;

  const submit = form.onSubmit(async (sent) => {
    const saved = await save(sent, form);
    if (!saved) return;
    setBase(saved.instructions);
    form.setValues(afterSaving(sent, form.getValues(), { instructions: saved.instructions }));
    notifyDone(`${saved.name} follows the new instructions from its next job on.`);
  });

  return (
    <form onSubmit={submit}>
      <UnsavedGuard when={isChanged} />
      <Stack gap="md" maw={860}>
        <Text size="sm" c="dimmed">
          They go word for word into every prompt. Say what it is for, how to answer, what it must ask about, and what
          it must never do. What you write here is not a wall: rights, budget and network are kept elsewhere.
        </Text>
        <Textarea
          aria-label={`Instructions of ${agent.name}`}
          autosize
          minRows={14}
          maxRows={40}
          readOnly={!mayChange}
          placeholder="You help the support team. Be brief."
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          onKeyDown={(event) => {
            if (event.key === "s" && (event.metaKey || event.ctrlKey)) {
              event.preventDefault();
              if (isChanged) submit();
            }
          }}
          {...form.getInputProps("instructions")}
        />
        <Group justify="space-between" gap="md">
          <Text size="xs" c={length > MAX_INSTRUCTIONS ? "var(--mantine-color-error)" : "dimmed"}>
            {length.toLocaleString("en-US")} of {MAX_INSTRUCTIONS.toLocaleString("en-US")} characters
            {isChanged && ", not saved"}
          </Text>
          {mayChange && (
            <Group gap="sm">
              <Button variant="default" disabled={!isChanged} onClick={() => form.setValues({ instructions: base })}>
                Discard
              </Button>
              <Button type="submit" disabled={!isChanged || length > MAX_INSTRUCTIONS} loading={isSaving}>
                Save instructions
              </Button>
            </Group>
          )}
        </Group>
        {problem !== null && <ErrorState error={problem} title="The instructions were not saved" />}
      </Stack>
    </form>
  );
}
