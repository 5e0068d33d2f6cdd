// The one line of a tool call is made from arguments of models, which may be anything.
import { describe, expect, it } from "vitest";
import type { ToolCall } from "../live/transcript";
import { diffOf } from "./toolDiff";
import { endingOf, languageOf, outputOf, subjectOf } from "./toolSummary";

// The generated types say that an open object is empty.
const object = (value: Record<string, unknown>) => value as Record<string, never>;
const valid = (value: Record<string, unknown>) => ({ state: "valid" as const, value: object(value) });

function call(detail: Record<string, unknown> | null, result = ""): ToolCall {
  return {
    id: "t",
    job_id: "j",
    message_id: "m",
    position: 0,
    provider_call_id: "call_0",
    name: "bash",
    arguments: valid({}),
    status: "succeeded",
    result,
    detail: detail === null ? null : object(detail),
    started_at: "2026-11-23T10:00:00Z",
    finished_at: "2026-11-23T10:00:01Z",
  };
}

describe("the line of a tool call", () => {
  it("names the command, the path or whatever there is", () => {
    expect(subjectOf(valid({ command: "cargo test\n--all" }))).toBe("cargo test …");
    expect(subjectOf(valid({ path: "a.txt", content: "x" }))).toBe("a.txt");
    expect(subjectOf(valid({ depth: 3 }))).toBe('{"depth":3}');
    expect(subjectOf(valid({ path: 3 }))).toBe('{"path":3}');
    expect(subjectOf(valid({}))).toBe("");
    expect(subjectOf({ state: "invalid", raw: "{", error: "cut" })).toBe("arguments that cannot be read");
  });

  it("says how it ended", () => {
    expect(endingOf(call({ exit_code: 101 }))).toBe("exit 101");
    expect(endingOf(call({ signal: 9 }))).toBe("signal 9");
    expect(endingOf(call({ timed_out: true }))).toBe("timed out");
    expect(endingOf(call({ matches: 1 }))).toBe("1 match");
    expect(endingOf(call(null))).toBeNull();
  });

  it("leaves out headings that repeat the line, and nothing of the output", () => {
    const sizes = { exit_code: 0, stdout_bytes: 3, stderr_bytes: 0 };
    expect(outputOf(call(sizes, "exit code: 0\nstdout:\nexit code: 0\nstdout:\n"))).toBe("exit code: 0\nstdout:\n");
    const both = "exit code: 1\nstdout:\na\nstderr:\nb\n";
    expect(outputOf(call({ ...sizes, stderr_bytes: 2 }, both))).toBe("stdout:\na\nstderr:\nb\n");
    expect(outputOf(call(null, "stdout:\nx"))).toBe("stdout:\nx");
  });

  it("shows the change that was made, or while it runs the one that is asked for", () => {
    const edit = valid({ path: "a", old_string: "one\n", new_string: "two\n" });
    expect(diffOf(edit, call({ diff: "made" }))).toBe("made");
    expect(diffOf(edit, null)).toContain("-one\n+two");
    expect(diffOf(valid({ command: "ls" }), call(null))).toBeNull();
  });

  it("knows the language of a file by its name", () => {
    expect(languageOf("src/main.RS")).toBe("rust");
    expect(languageOf("Makefile")).toBeUndefined();
    expect(languageOf(7)).toBeUndefined();
  });
});
