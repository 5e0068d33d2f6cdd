// What a write changed: numbered lines, with a sign beside the colour and the changed words marked.
import { useMemo, useState } from "react";
import { count } from "../lib/format";
import { CopyButton } from "./CodeBlock";
import classes from "./DiffView.module.css";
import { type DiffLine, diffLines } from "./diffLines";

const FIRST = 60;
const SIGNS = { same: " ", added: "+", removed: "−", gap: " ", note: " " } as const;
const SPOKEN = { same: "", added: "added", removed: "removed", gap: "", note: "" } as const;

export type DiffViewProps = {
  /** A unified diff. */
  diff: string;
};

export function DiffView({ diff }: DiffViewProps) {
  const lines = useMemo(() => diffLines(diff), [diff]);
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? lines : lines.slice(0, FIRST);
  return (
    <div className={classes.diff}>
      <div className={classes.scroll} tabIndex={0} role="group" aria-label="Changes">
        <table className={classes.table}>
          <tbody>
            {shown.map((line, place) => (
              <Row key={place} line={line} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < lines.length && (
        <button type="button" className={classes.more} onClick={() => setWhole(true)}>
          Show {count(lines.length - shown.length, "more line", "more lines")}
        </button>
      )}
      <CopyButton text={diff} of="the diff" className={classes.copy} />
    </div>
  );
}

function Row({ line }: { line: DiffLine }) {
  return (
    <tr className={classes.line} data-kind={line.kind}>
      <td className={classes.number}>{line.oldNumber}</td>
      <td className={classes.number}>{line.newNumber}</td>
      <td className={classes.sign}>
        <span aria-hidden>{SIGNS[line.kind]}</span>
        {SPOKEN[line.kind] !== "" && <span className="visually-hidden">{SPOKEN[line.kind]}</span>}
      </td>
      <td className={classes.text}>
        {line.runs.map((run, place) =>
          run.changed ? (
            <mark key={place} className={classes.changed}>
              {run.text}
            </mark>
          ) : (
            <span key={place}>{run.text}</span>
          ),
        )}
      </td>
    </tr>
  );
}
