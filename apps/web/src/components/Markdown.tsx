// Markdown of models and people, which is data: no HTML of its own, no picture from elsewhere, links that do not
// tell where they were followed. The reader of Markdown is loaded with the first text; until then it is plain.
import { type ComponentType, lazy, Suspense } from "react";
import classes from "./Markdown.module.css";

/** Without a network the reader cannot be loaded; the text can be read all the same. */
const MarkdownBody = lazy<ComponentType<MarkdownProps>>(() =>
  import("./MarkdownBody").catch(() => ({ default: Plain })),
);

export type MarkdownProps = { text: string };

export function Markdown({ text }: MarkdownProps) {
  return (
    <div className={classes.prose}>
      <Suspense fallback={<Plain text={text} />}>
        <MarkdownBody text={text} />
      </Suspense>
    </div>
  );
}

function Plain({ text }: MarkdownProps) {
  return <p className={classes.plain}>{text}</p>;
}
