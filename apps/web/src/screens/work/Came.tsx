// The message as it came in. It is text of somebody else: shown as it is, never read as anything.
import { Text } from "@mantine/core";
import { IconFile } from "@tabler/icons-react";
import type { components } from "../../api/schema";
import { RelativeTime } from "../../components/RelativeTime";
import { bytes } from "../../lib/format";
import classes from "./WorkItemScreen.module.css";

export function Came({ item }: { item: components["schemas"]["WorkItemView"] }) {
  const { message } = item;
  return (
    <div className={classes.came}>
      <Text size="xs" c="dimmed">
        {message.sender.display_name}
        {message.sender.is_bot && " (a program)"}
        {message.title !== null && ` in ${message.title}`} · <RelativeTime at={message.sent_at} />
        {message.edit_of !== null && " · changes an earlier message"}
      </Text>
      {message.quoted !== null && (
        <blockquote className={classes.quote}>
          {message.quoted.from_us && "In answer to us: "}
          {message.quoted.text}
        </blockquote>
      )}
      <p className={classes.words}>{message.text}</p>
      {message.attachments.map((file) => (
        <p key={file.provider_ref} className={classes.file}>
          <IconFile size={14} aria-hidden /> {file.name ?? file.kind}
          {file.bytes !== null && <span className="tabular">{bytes(file.bytes)}</span>}
        </p>
      ))}
    </div>
  );
}
