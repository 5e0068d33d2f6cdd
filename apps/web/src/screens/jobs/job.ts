// What the screens of a job ask of it.
import type { components } from "../../api/schema";

type Schemas = components["schemas"];
export type JobDetail = Schemas["JobDetailView"];

export function isOver(status: Schemas["JobStatus"]): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}
