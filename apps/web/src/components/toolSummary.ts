// What the one line of a tool call says: its subject and how it ended.
import type { components } from "../api/schema";
import type { ToolCall } from "../live/transcript";

type Arguments = components["schemas"]["ArgumentsView"];

/** The argument that names what a tool works on, by tool; others are searched for the same words. */
const SUBJECTS = ["command", "path", "pattern", "repository", "question", "process_id", "query", "url", "name"];

export function argumentsOf(args: Arguments): Record<string, unknown> {
  return args.state === "valid" ? { ...args.value } : {};
}

/** On one line, such as the command or the path. */
export function subjectOf(args: Arguments): string {
  if (args.state === "invalid") return "arguments that cannot be read";
  const values = argumentsOf(args);
  const named = SUBJECTS.map((name) => values[name]).find((value) => typeof value === "string" && value !== "");
  const text = typeof named === "string" ? named : Object.keys(values).length === 0 ? "" : JSON.stringify(values);
  const [line = "", ...rest] = text.trim().split("\n");
  return rest.length === 0 ? line : `${line} …`;
}

/** How it ended, in words: "exit 101", "timed out". Null where the state says enough. */
export function endingOf(call: ToolCall): string | null {
  const detail = factsOf(call);
  if (typeof detail.exit_code === "number") return `exit ${detail.exit_code}`;
  if (typeof detail.signal === "number") return `signal ${detail.signal}`;
  if (detail.timed_out === true) return "timed out";
  if (typeof detail.matches === "number") return detail.matches === 1 ? "1 match" : `${detail.matches} matches`;
  if (typeof detail.entries === "number") return detail.entries === 1 ? "1 entry" : `${detail.entries} entries`;
  if (typeof detail.lines === "number") return detail.lines === 1 ? "1 line" : `${detail.lines} lines`;
  return null;
}

export function factsOf(call: ToolCall): Record<string, unknown> {
  return call.detail === null ? {} : { ...call.detail };
}

/** The change a call made, as far as it says so. */
export function madeDiff(call: ToolCall): string | null {
  const { diff } = factsOf(call);
  return typeof diff === "string" && diff !== "" ? diff : null;
}

const LANGUAGES: Record<string, string> = {
  css: "css",
  go: "go",
  html: "xml",
  js: "javascript",
  json: "json",
  jsx: "javascript",
  md: "markdown",
  py: "python",
  rs: "rust",
  sh: "bash",
  sql: "sql",
  toml: "ini",
  ts: "typescript",
  tsx: "typescript",
  xml: "xml",
  yaml: "yaml",
  yml: "yaml",
};

/** The language of a file, by the end of its name. */
export function languageOf(path: unknown): string | undefined {
  return typeof path === "string" ? LANGUAGES[path.split(".").at(-1)?.toLowerCase() ?? ""] : undefined;
}

/** What a command wrote, without the heading that repeats what the card's line says. */
export function outputOf(call: ToolCall): string {
  const result = call.result ?? "";
  const detail = factsOf(call);
  if (typeof detail.stdout_bytes !== "number") return result;
  const body = result.replace(/^(?:exit code: -?\d+|ended by signal \d+)\n/, "");
  return detail.stderr_bytes === 0 ? body.replace(/^stdout:\n/, "") : body;
}
