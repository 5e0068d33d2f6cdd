// What an opened tool call shows: the command, its output as it comes, the change it made, or what was passed and
// answered. Loaded with the first card that is opened.
import { Text } from "@mantine/core";
import { useOpenTexts } from "../live/useLive";
import { AnsiOutput } from "./AnsiOutput";
import { CodeBlock } from "./CodeBlock";
import { DiffView } from "./DiffView";
import type { ToolCallBodyProps } from "./ToolCallCard";
import { diffOf } from "./toolDiff";
import { argumentsOf, languageOf, outputOf } from "./toolSummary";

export default function ToolCallBody({ job, call, record, result }: ToolCallBodyProps) {
  if (record?.status === "running") return <Running job={job} call={call} record={record} />;
  return <Ended call={call} record={record} result={result} />;
}

function Running({ job, call, record }: Omit<ToolCallBodyProps, "result">) {
  const open = useOpenTexts(job).output.get(call.id);
  return (
    <>
      <Asked call={call} record={record} />
      {open === undefined ? (
        <Text size="xs" c="dimmed">
          No output yet.
        </Text>
      ) : (
        <AnsiOutput text={open.text} missing={open.start} isLive />
      )}
    </>
  );
}

function Ended({ call, record, result }: Omit<ToolCallBodyProps, "job">) {
  const diff = diffOf(call.arguments, record);
  const answer = record === null ? (result?.text ?? "") : outputOf(record);
  const failed = record === null ? result?.is_error === true : record.status !== "succeeded";
  return (
    <>
      <Asked call={call} record={record} />
      {(diff === null || failed) && answer !== "" && <AnsiOutput text={answer} />}
      {answer === "" && (
        <Text size="xs" c="dimmed">
          It gave no answer.
        </Text>
      )}
    </>
  );
}

/** What the tool was asked to do. */
function Asked({ call, record }: Pick<ToolCallBodyProps, "call" | "record">) {
  const { arguments: args } = call;
  if (args.state === "invalid") {
    return (
      <>
        <Text size="xs" c="dimmed">
          The model passed something that is not an object: {args.error}
        </Text>
        <CodeBlock code={args.raw} of="what it passed" />
      </>
    );
  }
  const diff = diffOf(args, record);
  if (diff !== null) return <DiffView diff={diff} />;
  const { command, content, ...rest } = argumentsOf(args);
  if (typeof content === "string")
    return <CodeBlock code={content} language={languageOf(rest.path)} of="the content" />;
  if (content !== undefined) rest.content = content;
  const others = Object.keys(rest).length === 0 ? null : JSON.stringify(rest, null, 2);
  return (
    <>
      {typeof command === "string" && <CodeBlock code={command} language="bash" of="the command" />}
      {typeof command !== "string" && command !== undefined && (
        <CodeBlock code={JSON.stringify(command, null, 2)} language="json" />
      )}
      {others !== null && <CodeBlock code={others} language="json" of="the arguments" />}
    </>
  );
}
