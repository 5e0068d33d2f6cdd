// What the screens of a job ask of it.
import type { components } from "../../api/schema";

type Schemas = components["schemas"];
export type JobDetail = Schemas["JobDetailView"];

export function isOver(status: Schemas["JobStatus"]): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

const LONGEST = 64;

/** A job is called by what was asked, on one line. */
export function titleOf(text: string | undefined): string {
  const line = (text ?? "").trim().split(/\s+/).join(" ");
  if (line === "") return "Job";
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
}
