// One use of a tool as one line (what, on what, how it ended, how long), which opens to everything: the command, its
// output as it comes, the change it made, or what was passed and answered.
import { UnstyledButton } from "@mantine/core";
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
import { type ComponentType, lazy, Suspense, useId, useState } from "react";
import { duration } from "../lib/format";
import type { ToolCall } from "../live/transcript";
import { diffSize } from "./diffSize";
import { ListSkeleton } from "./Skeletons";
import { StatusBadge } from "./StatusBadge";
import classes from "./ToolCallCard.module.css";
import type { CallPart, ResultPart } from "./timelineRows";
import { endingOf, madeDiff, outputOf, subjectOf } from "./toolSummary";

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

/** What a closed card does not need. Without a network it cannot be loaded; the answer can be read all the same. */
const ToolCallBody = lazy<ComponentType<ToolCallBodyProps>>(() =>
  import("./ToolCallBody").catch(() => ({ default: Plain })),
);

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
  return (
    <div className={classes.card} data-open={isOpen || undefined}>
      <UnstyledButton className={classes.line} aria-expanded={isOpen} aria-controls={body} onClick={onToggle}>
        <IconChevronRight size={14} className={classes.chevron} aria-hidden />
        <ToolLine call={call} record={record} result={result} />
      </UnstyledButton>
      {isOpen && (
        <div id={body} className={classes.body}>
          <Suspense fallback={<ListSkeleton rows={2} />}>
            <ToolCallBody job={job} call={call} record={record} result={result} />
          </Suspense>
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
export type ToolCallBodyProps = Shown & Pick<ToolCallCardProps, "job">;

/** The one line by itself. */
export function ToolLine({ call, record, result }: Shown) {
  const ToolIcon = ICONS[call.name] ?? IconTool;
  const status =
    record?.status ??
    (result === null || result === undefined ? "interrupted" : result.is_error ? "failed" : "succeeded");
  const ending = record === null ? null : endingOf(record);
  const diff = record === null ? null : madeDiff(record);
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

function Plain({ record, result }: ToolCallBodyProps) {
  return <pre className="mono">{record === null ? result?.text : outputOf(record)}</pre>;
}
