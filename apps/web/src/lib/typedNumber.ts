// What a number field holds while somebody types: its numbers, and a text where a number would swallow keys, such as
// "0." on the way to 0.5. Forms keep it as it is and read it here.

/** A number that was typed; NaN when it is none, or none yet. */
export function typedNumber(typed: number | string): number {
  return typed === "" ? Number.NaN : Number(typed);
}
