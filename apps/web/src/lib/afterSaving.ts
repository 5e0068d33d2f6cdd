// A form stays open to typing while its answer is under way, so saving must not put the old text back.

/**
 * The values of a form once they are saved: what the server made of them, except for the fields that were changed
 * while it answered.
 */
export function afterSaving<Values extends object>(sent: Values, typed: Values, saved: Values): Values {
  const values = { ...saved };
  for (const key of Object.keys(typed) as (keyof Values)[]) {
    if (!isSame(sent[key], typed[key])) values[key] = typed[key];
  }
  return values;
}

/** Forms hold what travels as JSON. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
