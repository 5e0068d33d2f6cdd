// The rows of a job's timeline, each with its mark on the spine and its margin.
import { Text, UnstyledButton } from "@mantine/core";
import {
  type Icon,
  IconBan,
  IconBrain,
  IconChevronRight,
  IconCircleCheck,
  IconCircleX,
  IconFile,
  IconHandStop,
  IconInfoCircle,
  IconMessage,
  IconPlayerPlay,
  IconSend,
  IconSparkles,
  IconTool,
} from "@tabler/icons-react";
import { type MouseEvent, memo } from "react";
import { bytes, duration, money, tokens } from "../lib/format";
import { useOpenTexts } from "../live/useLive";
import { ApprovalCard } from "./ApprovalCard";
import { EffectCard } from "./EffectCard";
import type { JobTimelineProps } from "./JobTimeline";
import { Markdown } from "./Markdown";
import { RelativeTime } from "./RelativeTime";
import { Spine } from "./Spine";
import classes from "./TimelineRow.module.css";
import { ToolCallCard } from "./ToolCallCard";
import type { Spent, TimelineRow } from "./timelineRows";

type RowProps = {
  job: string;
  row: TimelineRow;
  isOpen: boolean;
  onToggle: (key: string) => void;
  isFocused: boolean;
  /** The reader wants the address of a message. */
  onLink: (seq: number) => void;
};

export const Row = memo(function Row({ job, row, isOpen, onToggle, isFocused, onLink }: RowProps) {
  const margin = "seq" in row ? <Margin job={job} seq={row.seq} spent={row.spent} onLink={onLink} /> : null;
  return (
    <Spine icon={iconOf(row)} margin={margin} isFocused={isFocused}>
      <Content job={job} row={row} isOpen={isOpen} onToggle={() => onToggle(row.key)} />
    </Spine>
  );
});

const ICONS: Record<TimelineRow["kind"], Icon> = {
  said: IconMessage,
  note: IconInfoCircle,
  thinking: IconBrain,
  prose: IconSparkles,
  tool: IconTool,
  effect: IconSend,
  approval: IconHandStop,
};

function iconOf(row: TimelineRow): Icon {
  return ICONS[row.kind];
}

/** The number of the message, which is a link to it, and what it took. */
function Margin({
  job,
  seq,
  spent,
  onLink,
}: {
  job: string;
  seq: number;
  spent: Spent | null;
  onLink: (seq: number) => void;
}) {
  // A plain link: one that preloads for every row would cost more than the row.
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    onLink(seq);
  };
  return (
    <>
      <a
        href={`/jobs/${job}?message=${seq}`}
        className={classes.number}
        aria-label={`Link to message ${seq}`}
        onClick={follow}
      >
        #{seq}
      </a>
      {spent !== null && <SpentNote spent={spent} />}
    </>
  );
}

function SpentNote({ spent }: { spent: Spent }) {
  const failed = spent.calls.filter((call) => call.status === "failed").length;
  const title = spent.calls
    .map(
      (call) =>
        `${call.model}: ${call.usage.input} input, ${call.usage.output} output${call.outcome === null ? "" : `, ${call.outcome}`}`,
    )
    .join("\n");
  return (
    <span className={classes.spent} title={title}>
      <span>
        {tokens(spent.input)} → {tokens(spent.output)}
      </span>
      <span>
        {money(spent.costMicros)} · {duration(spent.milliseconds)}
      </span>
      {failed > 0 && <span>{failed} failed</span>}
    </span>
  );
}

type ContentProps = { job: string; row: TimelineRow; isOpen: boolean; onToggle: () => void };

function Content({ job, row, isOpen, onToggle }: ContentProps) {
  switch (row.kind) {
    case "said":
      return <Said row={row} />;
    case "note":
      return <p className={classes.note}>{row.text}</p>;
    case "thinking":
      return <Thought text={row.text} isHidden={row.isHidden} isOpen={isOpen} onToggle={onToggle} />;
    case "prose":
      return <Markdown text={row.text} />;
    case "tool":
      return (
        <ToolCallCard
          job={job}
          call={row.call}
          record={row.record}
          result={row.result}
          isOpen={isOpen}
          onToggle={onToggle}
        />
      );
    case "effect":
      return <EffectCard effect={row.effect} />;
    case "approval":
      return <ApprovalCard approval={row.approval} isEmbedded />;
  }
}

function Said({ row }: { row: Extract<TimelineRow, { kind: "said" }> }) {
  return (
    <div className={classes.said}>
      <p className={classes.note}>
        {row.note} <RelativeTime at={row.at} />
      </p>
      {row.texts.map((said) =>
        said.isQuote ? (
          <blockquote key={said.text} className={classes.quote}>
            {said.text}
          </blockquote>
        ) : (
          <p key={said.text} className={classes.words}>
            {said.text}
          </p>
        ),
      )}
      {row.files.map((file) => (
        <p key={file.provider_ref} className={classes.file}>
          <IconFile size={14} aria-hidden /> {file.name ?? file.kind}
          {file.bytes !== null && <span className="tabular">{bytes(file.bytes)}</span>}
        </p>
      ))}
    </div>
  );
}

function Thought(props: { text: string; isHidden: boolean; isOpen: boolean; onToggle: () => void }) {
  if (props.isHidden) return <p className={classes.note}>It thought; the provider does not show what.</p>;
  return (
    <div>
      <UnstyledButton className={classes.thought} aria-expanded={props.isOpen} onClick={props.onToggle}>
        <IconChevronRight size={14} className={classes.chevron} data-open={props.isOpen || undefined} aria-hidden />
        <span>Thinking</span>
        {!props.isOpen && <span className={classes.glimpse}>{props.text.trim().split("\n").at(-1)}</span>}
      </UnstyledButton>
      {props.isOpen && <div className={classes.thinking}>{props.text}</div>}
    </div>
  );
}

/** What happens at this moment. */
export function LiveRow({ job, status }: { job: string; status: JobTimelineProps["job"]["status"] }) {
  const { thinking, text } = useOpenTexts(job);
  if (status !== "running") {
    const word =
      status === "queued" ? "It waits for its turn." : "It waits: for a person, for a model, or for its next try.";
    return (
      <Spine icon={IconPlayerPlay}>
        <p className={classes.note}>{word}</p>
      </Spine>
    );
  }
  return (
    <Spine icon={IconPlayerPlay} state="running">
      {thinking !== null && text === null && (
        <div className={classes.thinking} data-live>
          <div>{thinking.text}</div>
        </div>
      )}
      {text !== null && <Markdown text={text.text} />}
      {thinking === null && text === null && <p className={classes.note}>Working…</p>}
    </Spine>
  );
}

/** How it ended. */
export function EndRow({ job, isLoaded }: Pick<JobTimelineProps, "job" | "isLoaded">) {
  if (!isLoaded)
    return (
      <Spine icon={IconPlayerPlay}>
        <p className={classes.note}>Loading…</p>
      </Spine>
    );
  const when = <RelativeTime at={job.finished_at} />;
  if (job.failure !== null) {
    return (
      <Spine icon={IconCircleX} state="failed">
        <Text fw={600}>Failed {when}</Text>
        <Text>{job.failure.message}</Text>
        <Text size="xs" c="dimmed" className="mono">
          {job.failure.code}
        </Text>
      </Spine>
    );
  }
  if (job.status === "cancelled") {
    return (
      <Spine icon={IconBan}>
        <Text fw={600}>Cancelled {when}</Text>
      </Spine>
    );
  }
  return (
    <Spine icon={IconCircleCheck} state="done">
      <Text fw={600}>Completed {when}</Text>
    </Spine>
  );
}
