// How many tokens; how they divide is in the tooltip.
import type { components } from "../api/schema";
import { tokens } from "../lib/format";

export type TokensProps = { usage: components["schemas"]["UsageView"] } | { count: number };

export function Tokens(props: TokensProps) {
  if ("count" in props) {
    return (
      <span className="mono" title={`${props.count.toLocaleString("en-US")} tokens`}>
        {tokens(props.count)}
      </span>
    );
  }
  const { input, output, cache_read, cache_write } = props.usage;
  const parts = [
    `${input.toLocaleString("en-US")} input`,
    `${output.toLocaleString("en-US")} output`,
    `${cache_read.toLocaleString("en-US")} read from the cache`,
    `${cache_write.toLocaleString("en-US")} written to the cache`,
  ];
  return (
    <span className="mono" title={parts.join(", ")}>
      {tokens(input + cache_read + cache_write)} in, {tokens(output)} out
    </span>
  );
}
