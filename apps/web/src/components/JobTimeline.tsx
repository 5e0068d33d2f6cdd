// The story of one job along a spine: what people said, what the model thought and wrote, the tools it used, what it
// changed outside, and what each step cost in the margin. Only rows in sight are drawn. While the job runs the end
// stays in sight until the reader scrolls away from it.
import { Button } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { components } from "../api/schema";
import type { ApprovalView } from "../api/types";
import type { Transcript } from "../live/transcript";
import classes from "./JobTimeline.module.css";
import { EndRow, LiveRow, Row } from "./TimelineRow";
import { type Effect, type TimelineRow, timelineRows } from "./timelineRows";

type JobStatus = components["schemas"]["JobStatus"];

/** So near the end, in pixels, the reader is taken to be at it. */
const NEAR_END = 64;
const ESTIMATES: Record<TimelineRow["kind"], number> = {
  said: 72,
  note: 32,
  thinking: 36,
  prose: 72,
  tool: 44,
  effect: 96,
  approval: 56,
};

export type JobTimelineProps = {
  job: {
    id: string;
    status: JobStatus;
    failure: components["schemas"]["FailureView"] | null;
    finished_at: string | null;
  };
  transcript: Transcript;
  isLoaded: boolean;
  effects: readonly Effect[];
  approvals: readonly ApprovalView[];
  /** The message to begin with and to mark. */
  focus: number | null;
  /** The reader wants the address of a message. */
  onLink: (seq: number) => void;
};

export function JobTimeline({ job, transcript, isLoaded, effects, approvals, focus, onLink }: JobTimelineProps) {
  const isLive = job.status === "queued" || job.status === "running" || job.status === "waiting";
  const rows = useMemo(() => timelineRows(transcript, effects, approvals), [transcript, effects, approvals]);
  const scroller = useRef<HTMLElement>(null);
  const [open, toggle] = useOpenRows();
  const virtual = useVirtualizer({
    // Behind the rows: what happens now, or how it ended.
    count: rows.length + 1,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => ESTIMATES[rows[index]?.kind ?? "note"],
    // A new end with every row: a last row that stayed the same would not be followed.
    getItemKey: (index) => rows[index]?.key ?? `end-${rows.length}`,
    overscan: 6,
    paddingStart: 8,
    paddingEnd: 16,
    anchorTo: isLive ? "end" : "start",
    followOnAppend: isLive,
    scrollEndThreshold: NEAR_END,
  });
  useStart({ rows, isLoaded, isLive, focus, toIndex: virtual.scrollToIndex, toEnd: virtual.scrollToEnd });
  return (
    <div className={classes.frame}>
      <section ref={scroller} className={classes.scroller} aria-label="Timeline" tabIndex={0}>
        <ol className={classes.canvas} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return (
              <li
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                className={classes.place}
                style={{ transform: `translateY(${item.start}px)` }}
                aria-setsize={rows.length + 1}
                aria-posinset={item.index + 1}
              >
                {row !== undefined && (
                  <Row
                    job={job.id}
                    row={row}
                    isOpen={open.has(row.key)}
                    onToggle={toggle}
                    isFocused={"seq" in row && row.seq === focus}
                    onLink={onLink}
                  />
                )}
                {row === undefined &&
                  (isLive ? <LiveRow job={job.id} status={job.status} /> : <EndRow job={job} isLoaded={isLoaded} />)}
              </li>
            );
          })}
        </ol>
      </section>
      {!virtual.isAtEnd(NEAR_END) && (
        <Button
          className={classes.jump}
          variant="default"
          radius="xl"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={() => virtual.scrollToEnd()}
        >
          {isLive ? "Jump to live" : "Jump to the end"}
        </Button>
      )}
    </div>
  );
}

/** Which rows are open. They are remembered here, because rows out of sight do not exist. */
function useOpenRows(): [ReadonlySet<string>, (key: string) => void] {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback((key: string) => {
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  }, []);
  return [open, toggle];
}

type Start = {
  rows: readonly TimelineRow[];
  isLoaded: boolean;
  isLive: boolean;
  focus: number | null;
  toIndex: (index: number, options: { align: "start" }) => void;
  toEnd: () => void;
};

/** Where the reader begins: at the message of the link, at the end of a job that runs, else at the beginning. */
function useStart({ rows, isLoaded, isLive, focus, toIndex, toEnd }: Start): void {
  const begun = useRef<number | "live" | null>(null);
  useEffect(() => {
    if (focus !== null) {
      const index = rows.findIndex((row) => "seq" in row && row.seq === focus);
      if (begun.current === focus || index === -1) return;
      begun.current = focus;
      toIndex(index, { align: "start" });
    } else if (isLive && begun.current === null && isLoaded) {
      begun.current = "live";
      toEnd();
    }
  }, [rows, isLoaded, isLive, focus, toIndex, toEnd]);
}
