// What a command wrote, in its colours. Long output is folded to its head and tail; opened, only the lines in sight
// are drawn, so that a megabyte costs no more than a page.
import { Button, Group, Text } from "@mantine/core";
import { useToggle } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, memo, useEffect, useMemo, useRef } from "react";
import { count } from "../lib/format";
import classes from "./AnsiOutput.module.css";
import { type AnsiColor, type AnsiLine, type AnsiStyle, type AnsiText, allLines, moreAnsi, NO_ANSI } from "./ansiText";
import { CopyButton } from "./CodeBlock";

const HEAD = 12;
const TAIL = 24;
const LINE_HEIGHT = 18;
/** Folding away less than this hides more than it saves. */
const LEAST_FOLDED = 8;

export type AnsiOutputProps = {
  text: string;
  /** Whether more may come: then the end stays in sight. */
  isLive?: boolean;
  /** How many bytes before the text are not there any more. */
  missing?: number;
};

export function AnsiOutput({ text, isLive = false, missing = 0 }: AnsiOutputProps) {
  const lines = useAnsiLines(text);
  const [isWrapped, toggleWrap] = useToggle([true, false]);
  const [isWhole, toggleWhole] = useToggle([false, true]);
  const isLong = lines.length > HEAD + TAIL + LEAST_FOLDED;
  return (
    <div className={classes.output} data-wrap={isWrapped || undefined}>
      {missing > 0 && (
        <Text size="xs" c="dimmed" px="md" pt="sm">
          The first {missing.toLocaleString("en-US")} bytes are not shown while it runs.
        </Text>
      )}
      {isLong && isWhole ? (
        <WholeOutput lines={lines} isLive={isLive} />
      ) : (
        <Folded lines={lines} isLong={isLong} onOpen={() => toggleWhole()} />
      )}
      <Group gap="xs" className={classes.tools}>
        {isLong && (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => toggleWhole()}>
            {isWhole ? "Fold" : `Show all ${count(lines.length, "line")}`}
          </Button>
        )}
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => toggleWrap()}>
          {isWrapped ? "Do not wrap" : "Wrap lines"}
        </Button>
        <CopyButton text={text} of="the output" />
      </Group>
    </div>
  );
}

/** Reads only what is new of a text that grows. */
function useAnsiLines(text: string): readonly AnsiLine[] {
  const read = useRef<{ raw: string; text: AnsiText }>({ raw: "", text: NO_ANSI });
  return useMemo(() => {
    const before = read.current;
    const grew = text.startsWith(before.raw);
    const next = grew ? moreAnsi(before.text, text.slice(before.raw.length)) : moreAnsi(NO_ANSI, text);
    read.current = { raw: text, text: next };
    return allLines(next);
  }, [text]);
}

function Folded({ lines, isLong, onOpen }: { lines: readonly AnsiLine[]; isLong: boolean; onOpen: () => void }) {
  const tailFrom = lines.length - TAIL;
  return (
    <div className={classes.lines} tabIndex={0} role="log" aria-live="off" aria-label="Output">
      {(isLong ? lines.slice(0, HEAD) : lines).map((line, place) => (
        <Line key={place} line={line} />
      ))}
      {isLong && (
        <>
          <button type="button" className={classes.fold} onClick={onOpen}>
            {count(tailFrom - HEAD, "line")} folded
          </button>
          {lines.slice(tailFrom).map((line, place) => (
            <Line key={tailFrom + place} line={line} />
          ))}
        </>
      )}
    </div>
  );
}

function WholeOutput({ lines, isLive }: { lines: readonly AnsiLine[]; isLive: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
    anchorTo: "end",
    followOnAppend: isLive,
  });
  const toEnd = useRef(virtual.scrollToEnd);
  useEffect(() => {
    if (isLive) toEnd.current();
  }, [isLive]);
  return (
    <div
      ref={box}
      className={`${classes.lines} ${classes.whole}`}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Output"
    >
      <div className={classes.canvas} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={virtual.measureElement}
            data-index={item.index}
            className={classes.place}
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <Line line={lines[item.index] ?? []} />
          </div>
        ))}
      </div>
    </div>
  );
}

const Line = memo(function Line({ line }: { line: AnsiLine }) {
  return (
    <div className={classes.line}>
      {line.length === 0
        ? "\u200b"
        : line.map((run, place) => (
            <span key={place} className={classNames(run.style)} style={colours(run.style)}>
              {run.text}
            </span>
          ))}
    </div>
  );
});

function classNames(style: AnsiStyle): string | undefined {
  const names = [
    style.bold && classes.bold,
    style.dim && classes.dim,
    style.italic && classes.italic,
    style.underline && classes.underline,
    style.strike && classes.strike,
  ].filter((name) => name !== undefined);
  return names.length === 0 ? undefined : names.join(" ");
}

function colours(style: AnsiStyle): CSSProperties | undefined {
  if (style.fg === undefined && style.bg === undefined && style.reverse === undefined) return undefined;
  const [front, back] = [colour(style.fg), colour(style.bg)];
  if (style.reverse !== true) return { color: front, background: back };
  return { color: back ?? "var(--ansi-back)", background: front ?? "var(--ansi-front)" };
}

function colour(color: AnsiColor | undefined): string | undefined {
  return typeof color === "number" ? `var(--ansi-${color})` : color;
}
