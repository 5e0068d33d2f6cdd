// One step of a story: its mark on the line that runs through all of them, its content, and its margin.
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./Spine.module.css";

export type SpineProps = {
  icon: Icon;
  state?: "running" | "waiting" | "done" | "failed";
  margin?: ReactNode;
  isFocused?: boolean;
  children: ReactNode;
};

export function Spine({ icon: Mark, state, margin, isFocused = false, children }: SpineProps) {
  return (
    <div className={classes.row} data-focused={isFocused || undefined} data-margin={margin !== undefined || undefined}>
      <div className={classes.spine} data-state={state} aria-hidden>
        <span className={classes.mark}>
          <Mark size={14} stroke={1.75} />
        </span>
      </div>
      <div className={classes.content}>{children}</div>
      {margin !== undefined && <div className={classes.margin}>{margin}</div>}
    </div>
  );
}
