// The one badge for the state of a thing: an icon and a word, the same everywhere. The colour repeats what the icon
// and the word say: green done, blue running, amber waiting for a person, red failed, grey idle.
import {
  type Icon,
  IconAlertTriangle,
  IconBan,
  IconCircle,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClock,
  IconHandStop,
  IconHelpCircle,
  IconPlayerPlay,
} from "@tabler/icons-react";
import type { components } from "../api/schema";
import type { ApprovalStatus } from "../api/types";
import classes from "./StatusBadge.module.css";

type Schemas = components["schemas"];
type State = "done" | "running" | "waiting" | "failed" | "idle";
type Look = { state: State; word: string; icon: Icon };

/** Which words a thing has for its state. */
export type StatusOf = {
  job: Schemas["JobStatus"];
  effect: Schemas["EffectStatus"];
  item: Schemas["WorkItemStatus"];
  tool: Schemas["ToolCallStatus"];
  model: Schemas["ModelCallStatus"];
  approval: ApprovalStatus;
  health: Schemas["Health"];
  agent: "idle" | "running" | "waiting" | "disabled";
  process: Schemas["BackgroundStatus"];
  service: Schemas["ServiceStatus"];
  sprite: Schemas["SpriteStatus"];
  session: Schemas["SpriteSessionStatus"];
};
export type StatusKind = keyof StatusOf;

const done = (word: string): Look => ({ state: "done", word, icon: IconCircleCheck });
const running = (word: string): Look => ({ state: "running", word, icon: IconPlayerPlay });
const waiting = (word: string): Look => ({ state: "waiting", word, icon: IconHandStop });
const failed = (word: string): Look => ({ state: "failed", word, icon: IconCircleX });
const idle = (word: string, icon: Icon = IconCircle): Look => ({ state: "idle", word, icon });

const LOOKS: { [Kind in StatusKind]: Record<StatusOf[Kind], Look> } = {
  job: {
    queued: idle("Queued", IconClock),
    running: running("Running"),
    waiting: waiting("Waiting"),
    completed: done("Completed"),
    failed: failed("Failed"),
    cancelled: idle("Cancelled", IconBan),
  },
  effect: {
    pending: idle("Pending", IconClock),
    held: waiting("Held"),
    sending: running("Sending"),
    sent: done("Sent"),
    unknown: { state: "waiting", word: "Unknown", icon: IconHelpCircle },
    failed: failed("Failed"),
    cancelled: idle("Cancelled", IconBan),
  },
  item: {
    open: running("Open"),
    replied: done("Replied"),
    passed: idle("Passed", IconCircleDashed),
    failed: failed("Failed"),
  },
  tool: {
    running: running("Running"),
    succeeded: done("Succeeded"),
    failed: failed("Failed"),
    interrupted: idle("Interrupted", IconBan),
  },
  model: {
    reserved: running("Asking"),
    settled: done("Answered"),
    failed: failed("Failed"),
  },
  approval: {
    pending: waiting("Needs a decision"),
    approved: done("Approved"),
    denied: failed("Denied"),
    expired: idle("Expired", IconClock),
    withdrawn: idle("Withdrawn", IconBan),
  },
  health: {
    unknown: idle("Not checked", IconCircleDashed),
    ok: done("OK"),
    degraded: { state: "waiting", word: "Degraded", icon: IconAlertTriangle },
    failed: failed("Failed"),
  },
  agent: {
    idle: idle("Idle"),
    running: running("Running"),
    waiting: waiting("Waiting"),
    disabled: idle("Disabled", IconBan),
  },
  process: {
    running: running("Running"),
    ended: done("Ended"),
    stopped: idle("Stopped", IconBan),
    lost: failed("Lost"),
  },
  service: {
    stopped: idle("Stopped", IconBan),
    starting: running("Starting"),
    running: running("Running"),
    stopping: running("Stopping"),
    failed: failed("Failed"),
  },
  sprite: {
    cold: idle("Asleep"),
    warm: idle("Awake", IconCircleDashed),
    running: running("Running"),
  },
  session: {
    open: running("Open"),
    closed: idle("Closed", IconBan),
    lost: failed("Lost"),
  },
};

export type StatusBadgeProps<Kind extends StatusKind> = {
  kind: Kind;
  status: StatusOf[Kind];
  /** The icon alone; the word is read out and shown on hover. */
  compact?: boolean;
};

export function StatusBadge<Kind extends StatusKind>({ kind, status, compact = false }: StatusBadgeProps<Kind>) {
  const look: Look | undefined = LOOKS[kind][status];
  // A server newer than this page may know words that this page does not.
  const { state, word, icon: StateIcon } = look ?? idle(String(status));
  return (
    <span
      className={classes.badge}
      data-state={state}
      data-compact={compact || undefined}
      title={compact ? word : undefined}
    >
      <StateIcon className={classes.icon} size={14} stroke={2} aria-hidden />
      <span className={compact ? "visually-hidden" : undefined}>{word}</span>
    </span>
  );
}
