// Short words about what was just done, in the corner of the window.
import { notifications } from "@mantine/notifications";
import { toProblem } from "../api/client";

export function notifyDone(message: string): void {
  notifications.show({ message, color: "green", autoClose: 4_000 });
}

/** Says what failed and why; stays until it is closed. */
export function notifyProblem(title: string, error: unknown): void {
  const problem = toProblem(error);
  const request = problem.requestId === null ? "" : ` (request ${problem.requestId})`;
  notifications.show({ title, message: `${problem.detail}${request}`, color: "red", autoClose: false });
}
