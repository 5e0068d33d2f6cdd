// An amount of money; the exact one is in the tooltip.
import { money } from "../lib/format";

export type MoneyProps = { micros: number };

export function Money({ micros }: MoneyProps) {
  return (
    <span className="mono" title={`$${(micros / 1_000_000).toFixed(6)}`}>
      {money(micros)}
    </span>
  );
}
