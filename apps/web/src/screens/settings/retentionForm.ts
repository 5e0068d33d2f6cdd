// The periods of retention as a form holds them: days, or for good.
import type { RetentionView } from "../../api/types";
import { typedNumber } from "../../lib/typedNumber";

export const PERIODS = [
  {
    name: "tool_output_days",
    label: "Output of tools",
    help: "What tools answered. A short text stays in its place, with which tool it was and how it ended.",
  },
  {
    name: "event_days",
    label: "Events",
    help: "Copies for programs that follow along and were away for a while.",
  },
  {
    name: "transcript_days",
    label: "Transcripts",
    help: "Messages and tool calls. Agents remember a thread by them; without them the job stays with its status and cost.",
  },
] as const;

export type PeriodName = (typeof PERIODS)[number]["name"];
/** `days` as it was typed. */
export type Period = { isForever: boolean; days: number | string };
export type RetentionValues = Record<PeriodName, Period>;

/** What a period is taken to be when "for good" is switched off. */
const USUAL_DAYS = 90;

export function retentionValues(retention: RetentionView): RetentionValues {
  const of = (days: number | null): Period => ({ isForever: days === null, days: days ?? USUAL_DAYS });
  return {
    tool_output_days: of(retention.tool_output_days),
    event_days: of(retention.event_days),
    transcript_days: of(retention.transcript_days),
  };
}

export function retentionBody(values: RetentionValues): Record<PeriodName, number | null> {
  const of = ({ isForever, days }: Period) => (isForever ? null : typedNumber(days));
  return {
    tool_output_days: of(values.tool_output_days),
    event_days: of(values.event_days),
    transcript_days: of(values.transcript_days),
  };
}

export function periodProblem({ isForever, days }: Period): string | null {
  if (isForever) return null;
  const typed = typedNumber(days);
  return !Number.isInteger(typed) || typed < 1 ? "Enter a whole number of days, 1 at least." : null;
}
