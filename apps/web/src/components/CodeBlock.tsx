// Code as text in a box that can be copied. Colours come later, when the highlighter has been loaded and knows the
// language; they are React nodes made from its tree, never HTML.
import { ActionIcon } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import classes from "./CodeBlock.module.css";

/** Colours that cannot be loaded are no reason to hide the code. */
const Highlighted = lazy(() => import("./Highlighted").catch(() => ({ default: Plain })));
/** Colouring more than this costs more than it shows. */
const MOST_COLOURED = 40_000;

export type CodeBlockProps = {
  code: string;
  language?: string;
  /** What is copied, for people who do not see the screen: "the command". */
  of?: string;
};

export function CodeBlock({ code, language, of = "the code" }: CodeBlockProps) {
  const isColoured = language !== undefined && code.length <= MOST_COLOURED;
  return (
    <div className={classes.block}>
      <pre className={classes.code} tabIndex={0}>
        <code>
          {isColoured ? (
            <Suspense fallback={code}>
              <Highlighted code={code} language={language} />
            </Suspense>
          ) : (
            code
          )}
        </code>
      </pre>
      <CopyButton text={code} of={of} className={classes.copy} />
    </div>
  );
}

/** Copies a text; says so. */
export function CopyButton({ text, of, className }: { text: string; of: string; className?: string }) {
  const clipboard = useClipboard({ timeout: 1_500 });
  const Shown = clipboard.copied ? IconCheck : IconCopy;
  const label = clipboard.copied ? "Copied" : `Copy ${of}`;
  return (
    <ActionIcon size="sm" className={className} aria-label={label} title={label} onClick={() => clipboard.copy(text)}>
      <Shown size={14} aria-hidden />
    </ActionIcon>
  );
}

function Plain({ code }: { code: string }) {
  return <>{code}</>;
}
