// Puts a refusal where it belongs: beside the field it is about, or below the form.
import { toProblem } from "../../../api/client";

type Form = { setErrors: (errors: Record<string, string>) => void };

/** What is left to show below the form; null when every word of it stands beside a field. */
export function unplaced(refusal: unknown, form: Form, fields: readonly string[]): unknown {
  const errors = toProblem(refusal).fieldErrors();
  form.setErrors(errors);
  const named = Object.keys(errors);
  return named.length > 0 && named.every((field) => fields.includes(field)) ? null : refusal;
}
