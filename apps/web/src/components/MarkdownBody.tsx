// The part of Markdown that is loaded late.
import { memo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { AnsiOutput } from "./AnsiOutput";
import { CodeBlock } from "./CodeBlock";
import classes from "./Markdown.module.css";

const REL = "noopener noreferrer nofollow";
const PLUGINS = [remarkGfm];

const components: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel={REL}>
      {children}
    </a>
  ),
  // A picture would tell its server that somebody reads this, and the page allows none from elsewhere.
  img: ({ src, alt }) => {
    const name = alt === undefined || alt === "" ? "Picture" : `Picture: ${alt}`;
    return typeof src === "string" && src !== "" ? (
      <a href={src} target="_blank" rel={REL}>
        {name}
      </a>
    ) : (
      <span>{name}</span>
    );
  },
  // Titles inside a text are no titles of the page.
  h1: ({ children }) => <p className={classes.title}>{children}</p>,
  h2: ({ children }) => <p className={classes.title}>{children}</p>,
  h3: ({ children }) => <p className={classes.subtitle}>{children}</p>,
  h4: ({ children }) => <p className={classes.subtitle}>{children}</p>,
  h5: ({ children }) => <p className={classes.subtitle}>{children}</p>,
  h6: ({ children }) => <p className={classes.subtitle}>{children}</p>,
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children }) => {
    const code = String(children ?? "");
    const language = /language-([\w+-]+)/.exec(className ?? "")?.[1];
    // Inside a line there is neither a language nor a line end.
    if (language === undefined && !code.includes("\n")) return <code className={classes.inline}>{code}</code>;
    // Models repeat what commands wrote, colours included.
    if (language === undefined && code.includes("\u001b[")) return <AnsiOutput text={code} />;
    return <CodeBlock code={code.replace(/\n$/, "")} language={language} />;
  },
  table: ({ children }) => (
    <div className={classes.scroll}>
      <table className={classes.table}>{children}</table>
    </div>
  ),
  input: ({ checked }) => (
    <input
      type="checkbox"
      checked={checked === true}
      readOnly
      disabled
      aria-label={checked === true ? "done" : "to do"}
    />
  ),
};

function MarkdownBody({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={components} skipHtml={false}>
      {text}
    </ReactMarkdown>
  );
}

export default memo(MarkdownBody);
