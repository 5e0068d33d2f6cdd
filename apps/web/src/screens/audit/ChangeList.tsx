// Before and after, field by field, with a sign beside the colour.
import { Stack, Text, Title } from "@mantine/core";
import classes from "./ChangeList.module.css";
import { changes } from "./changes";

export function ChangeList({ before, after }: { before: unknown; after: unknown }) {
  const changed = changes(before, after);
  if (changed.length === 0)
    return (
      <Text size="sm" c="dimmed">
        No field changed; that it was done is what is recorded.
      </Text>
    );
  return (
    <Stack gap="sm" component="section" aria-label="Changes">
      <Title order={3}>Changes</Title>
      {changed.map(({ field, before: old, after: now }) => (
        <div key={field} className={classes.change}>
          <div className={classes.field}>{field}</div>
          {old !== null && <Side sign="−" spoken="before" kind="removed" text={old} />}
          {now !== null && <Side sign="+" spoken="after" kind="added" text={now} />}
        </div>
      ))}
    </Stack>
  );
}

function Side({ sign, spoken, kind, text }: { sign: string; spoken: string; kind: "added" | "removed"; text: string }) {
  return (
    <div className={classes.side} data-kind={kind}>
      <span aria-hidden>{sign}</span>
      <span className="visually-hidden">{spoken}</span>
      <span className={classes.text}>{text}</span>
    </div>
  );
}
