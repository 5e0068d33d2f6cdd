// Single commands in an agent's sprite, run by a person. Each is a process of its own: nothing is kept between
// them but the directory, which is why a bare `cd` is understood here and not sent.
import { Button, Group, Kbd, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { $api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { AnsiOutput } from "../../../components/AnsiOutput";
import { ErrorState } from "../../../components/ErrorState";
import { duration } from "../../../lib/format";
import { typedNumber } from "../../../lib/typedNumber";
import { changeOfDirectory, resolvePath } from "./paths";
import { useRefreshSprite } from "./useSprite";

type Answer = components["schemas"]["SpriteCommandResult"];
type Entry = { key: number; directory: string; command: string; answer: Answer | null; error: unknown };

const HOME = "/home/sprite";

export function SpriteTerminal({ agentId, mayRun }: { agentId: string; mayRun: boolean }) {
  const [entries, setEntries] = useState<Entry[]>([]);
  const [directory, setDirectory] = useState(HOME);
  const [command, setCommand] = useState("");
  const [seconds, setSeconds] = useState<number | string>(60);
  const [recalled, setRecalled] = useState<number | null>(null);
  const prompt = useRef<HTMLFormElement>(null);
  const refresh = useRefreshSprite(agentId);
  const run = $api.useMutation("post", "/api/v1/agents/{id}/sprite/commands");

  const isRunning = run.isPending;
  useEffect(() => {
    if (entries.length > 0) prompt.current?.scrollIntoView({ block: "nearest" });
  }, [entries]);

  if (!mayRun)
    return (
      <Text size="sm">Running commands needs the right to operate sprites. Ask an admin for the role member.</Text>
    );

  const submit = async () => {
    const text = command.trim();
    if (text === "" || isRunning) return;
    setCommand("");
    setRecalled(null);
    const target = changeOfDirectory(text);
    const timeout = typedNumber(seconds);
    const key = entries.length;
    const base: Entry = { key, directory, command: text, answer: null, error: null };
    if (target !== null) {
      setDirectory(resolvePath(directory, target, HOME));
      setEntries([
        ...entries,
        {
          ...base,
          answer: { exit_code: 0, signal: null, timed_out: false, output: "", truncated: false, duration_ms: 0 },
        },
      ]);
      return;
    }
    setEntries([...entries, base]);
    const settle = (part: Partial<Entry>) =>
      setEntries((all) => all.map((entry) => (entry.key === key ? { ...entry, ...part } : entry)));
    try {
      const answer = await run.mutateAsync({
        params: { path: { id: agentId } },
        body: { command: text, directory, ...(Number.isNaN(timeout) ? {} : { timeout_seconds: timeout }) },
      });
      settle({ answer });
    } catch (error) {
      settle({ error });
    }
    await refresh();
  };

  const recall = (step: -1 | 1) => {
    const last = entries.length - 1;
    const next = recalled === null ? (step < 0 ? last : null) : recalled + step;
    if (next === null || next < 0) return;
    const entry = entries[next];
    setRecalled(entry ? next : null);
    setCommand(entry?.command ?? "");
  };

  return (
    <Stack gap="md">
      <Text size="xs" c="dimmed">
        Commands run as the agent would run them, in its sprite and under its network policy, and are written to the
        audit log. Each starts anew: only the directory is kept.
      </Text>
      <Stack gap="lg" role="log" aria-label="Commands and their output">
        {entries.map((entry) => (
          <Ran key={entry.key} entry={entry} />
        ))}
      </Stack>
      <form
        ref={prompt}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput
            label={
              <Text span size="xs" ff="monospace">
                {directory}
              </Text>
            }
            aria-label={`Command to run in ${directory}`}
            placeholder="ls -la"
            leftSection={<Text ff="monospace">$</Text>}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            flex="1 1 240px"
            autoCapitalize="off"
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            value={command}
            onChange={(event) => setCommand(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "ArrowUp" || event.key === "ArrowDown") {
                event.preventDefault();
                recall(event.key === "ArrowUp" ? -1 : 1);
              }
            }}
          />
          <NumberInput
            label="Stop after"
            size="sm"
            w={110}
            suffix=" s"
            min={1}
            max={600}
            allowDecimal={false}
            value={seconds}
            onChange={setSeconds}
          />
          <Button type="submit" loading={isRunning} leftSection={<IconPlayerPlay size={16} aria-hidden />}>
            Run
          </Button>
        </Group>
      </form>
      <Text size="xs" c="dimmed" visibleFrom="sm">
        <Kbd size="xs">↑</Kbd> and <Kbd size="xs">↓</Kbd> bring earlier commands back.
      </Text>
    </Stack>
  );
}

function Ran({ entry }: { entry: Entry }) {
  const { answer } = entry;
  return (
    <Stack gap={4}>
      <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
        <Text span c="dimmed" inherit>
          {entry.directory} ${" "}
        </Text>
        {entry.command}
      </Text>
      {answer && answer.output !== "" && <AnsiOutput text={answer.output} />}
      {answer && (
        <Text size="xs" c={answer.exit_code === 0 ? "dimmed" : "var(--mantine-color-error)"}>
          {endingOf(answer)} {duration(answer.duration_ms)}
          {answer.truncated && "; the output was longer and is cut"}
        </Text>
      )}
      {entry.error !== null && <ErrorState error={entry.error} title="The command could not be run" />}
      {!answer && entry.error === null && (
        <Text size="xs" c="dimmed">
          Running…
        </Text>
      )}
    </Stack>
  );
}

function endingOf({ exit_code, signal, timed_out }: Answer): string {
  if (timed_out) return "stopped, because its time was up, after";
  return exit_code === null ? `ended by ${signal ?? "a signal"} in` : `exit ${exit_code} in`;
}
