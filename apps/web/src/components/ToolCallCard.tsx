// One use of a tool as one line (what, on what, how it ended, how long), which opens to everything: the command, its
// output as it comes, the change it made, or what was passed and answered.
import { Text, UnstyledButton } from "@mantine/core";
import {
  type Icon,
  IconChevronRight,
  IconFileDiff,
  IconFileText,
  IconFolder,
  IconGitBranch,
  IconHandStop,
  IconSearch,
  IconTerminal2,
  IconTool,
} from "@tabler/icons-react";
import { useId, useState } from "react";
import { duration } from "../lib/format";
import type { ToolCall } from "../live/transcript";
import { useOpenTexts } from "../live/useLive";
import { AnsiOutput } from "./AnsiOutput";
import { CodeBlock } from "./CodeBlock";
import { DiffView } from "./DiffView";
import { diffSize } from "./diffLines";
import { StatusBadge } from "./StatusBadge";
import classes from "./ToolCallCard.module.css";
import type { CallPart, ResultPart } from "./timelineRows";
import { argumentsOf, diffOf, endingOf, languageOf, outputOf, subjectOf } from "./toolSummary";

const ICONS: Record<string, Icon> = {
  bash: IconTerminal2,
  start_process: IconTerminal2,
  edit_file: IconFileDiff,
  write_file: IconFileDiff,
  read_file: IconFileText,
  list_directory: IconFolder,
  glob: IconSearch,
  grep: IconSearch,
  checkout_repository: IconGitBranch,
  request_approval: IconHandStop,
};

export type ToolCallCardProps = {
  job: string;
  call: CallPart;
  /** The receipt; null for a call that an earlier attempt made. */
  record: ToolCall | null;
  /** What the model was told, where there is no receipt. */
  result?: ResultPart | null;
  /** Opened from outside, so that a list that draws only what is in sight remembers it. */
  isOpen: boolean;
  onToggle: () => void;
};

export function ToolCallCard({ job, call, record, result = null, isOpen, onToggle }: ToolCallCardProps) {
  const body = useId();
  const isRunning = record?.status === "running";
  return (
    <div className={classes.card} data-open={isOpen || undefined}>
      <UnstyledButton className={classes.line} aria-expanded={isOpen} aria-controls={body} onClick={onToggle}>
        <IconChevronRight size={14} className={classes.chevron} aria-hidden />
        <ToolLine call={call} record={record} result={result} />
      </UnstyledButton>
      {isOpen && (
        <div id={body} className={classes.body}>
          {isRunning ? (
            <RunningBody job={job} call={call} record={record} />
          ) : (
            <Body call={call} record={record} result={result} />
          )}
        </div>
      )}
    </div>
  );
}

/** A card that keeps to itself whether it is open. */
export function ToolCallCardAlone(props: Omit<ToolCallCardProps, "isOpen" | "onToggle">) {
  const [isOpen, setOpen] = useState(false);
  return <ToolCallCard {...props} isOpen={isOpen} onToggle={() => setOpen((open) => !open)} />;
}

type Shown = Pick<ToolCallCardProps, "call" | "record" | "result">;

/** The one line by itself. */
export function ToolLine({ call, record, result }: Shown) {
  const ToolIcon = ICONS[call.name] ?? IconTool;
  const status =
    record?.status ??
    (result === null || result === undefined ? "interrupted" : result.is_error ? "failed" : "succeeded");
  const ending = record === null ? null : endingOf(record);
  const diff = record === null ? null : diffOf(call.arguments, record);
  const size = diff === null ? null : diffSize(diff);
  return (
    <span className={classes.facts}>
      <ToolIcon size={14} className={classes.icon} aria-hidden />
      <span className={classes.name}>{call.name}</span>
      <span className={classes.subject}>{subjectOf(call.arguments)}</span>
      {size !== null && (
        <span className={classes.size}>
          +{size.added} −{size.removed}
        </span>
      )}
      {ending !== null && <span className={classes.ending}>{ending}</span>}
      {record !== null && record.finished_at !== null && (
        <span className={classes.ending}>
          {duration(Date.parse(record.finished_at) - Date.parse(record.started_at))}
        </span>
      )}
      <StatusBadge kind="tool" status={status} compact={status === "succeeded"} />
    </span>
  );
}

function RunningBody({ job, call, record }: { job: string; call: CallPart; record: ToolCall }) {
  const open = useOpenTexts(job).output.get(call.id);
  return (
    <>
      <Asked call={call} record={record} />
      {open === undefined ? (
        <Text size="xs" c="dimmed">
          No output yet.
        </Text>
      ) : (
        <AnsiOutput text={open.text} missing={open.start} isLive />
      )}
    </>
  );
}

function Body({ call, record, result }: Shown) {
  const diff = diffOf(call.arguments, record);
  const answer = record === null ? (result?.text ?? "") : outputOf(record);
  const failed = record === null ? result?.is_error === true : record.status !== "succeeded";
  return (
    <>
      <Asked call={call} record={record} />
      {(diff === null || failed) && answer !== "" && <AnsiOutput text={answer} />}
      {answer === "" && (
        <Text size="xs" c="dimmed">
          It gave no answer.
        </Text>
      )}
    </>
  );
}

/** What the tool was asked to do. */
function Asked({ call, record }: { call: CallPart; record: ToolCall | null }) {
  const { arguments: args } = call;
  if (args.state === "invalid") {
    return (
      <>
        <Text size="xs" c="dimmed">
          The model passed something that is not an object: {args.error}
        </Text>
        <CodeBlock code={args.raw} of="what it passed" />
      </>
    );
  }
  const diff = diffOf(args, record);
  if (diff !== null) return <DiffView diff={diff} />;
  const { command, content, ...rest } = argumentsOf(args);
  if (typeof content === "string")
    return <CodeBlock code={content} language={languageOf(rest.path)} of="the content" />;
  if (content !== undefined) rest.content = content;
  const others = Object.keys(rest).length === 0 ? null : JSON.stringify(rest, null, 2);
  return (
    <>
      {typeof command === "string" && <CodeBlock code={command} language="bash" of="the command" />}
      {typeof command !== "string" && command !== undefined && (
        <CodeBlock code={JSON.stringify(command, null, 2)} language="json" />
      )}
      {others !== null && <CodeBlock code={others} language="json" of="the arguments" />}
    </>
  );
}
