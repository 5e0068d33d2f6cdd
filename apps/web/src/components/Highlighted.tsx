// Colours for code, with the languages agents meet most. Loaded when the first code is shown.
import bash from "highlight.js/lib/languages/bash";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";
import { Fragment, type ReactNode, useMemo } from "react";
import "./Highlighted.css";

const lowlight = createLowlight({
  bash,
  css,
  diff,
  dockerfile,
  go,
  ini,
  javascript,
  json,
  markdown,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
});

type Tree = ReturnType<typeof lowlight.highlight>;

export type HighlightedProps = { code: string; language: string };

export default function Highlighted({ code, language }: HighlightedProps) {
  return useMemo(() => {
    const known = language.toLowerCase();
    return lowlight.registered(known) ? nodes(lowlight.highlight(known, code)) : code;
  }, [code, language]);
}

function nodes(tree: Tree): ReactNode {
  return tree.children.map(node);
}

function node(content: Tree["children"][number], place: number): ReactNode {
  if (content.type === "text") return <Fragment key={place}>{content.value}</Fragment>;
  if (content.type !== "element") return null;
  const names = content.properties.className;
  return (
    <span key={place} className={Array.isArray(names) ? names.join(" ") : undefined}>
      {content.children.map(node)}
    </span>
  );
}
