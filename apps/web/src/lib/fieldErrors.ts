// Puts what the server refused next to the field it is about. What cannot be placed stays a problem of the whole
// form, so nothing is ever refused without a word.
import { toProblem } from "../api/client";

type Placing = {
  /** Form fields by the API's name, where the two differ; a name that ends in a dot stands for all below it. */
  fields?: Readonly<Record<string, string>>;
  /** Form fields by the code of a conflict that is about one field, such as a name that is taken. */
  codes?: Readonly<Record<string, string>>;
};

export type Placed = { errors: Record<string, string>; isComplete: boolean };

/** `shows`: whether the form has a field of that name. */
export function placeErrors(error: unknown, shows: (field: string) => boolean, placing: Placing = {}): Placed {
  const problem = toProblem(error);
  const errors: Record<string, string> = {};
  const coded = placing.codes?.[problem.code];
  if (coded !== undefined && shows(coded)) return { errors: { [coded]: sentence(problem.detail) }, isComplete: true };
  let isComplete = problem.errors.length > 0;
  for (const { field, message } of problem.errors) {
    const name = renamed(field, placing.fields ?? {});
    if (shows(name)) errors[name] = sentence(message);
    else isComplete = false;
  }
  return { errors, isComplete };
}

function renamed(field: string, fields: Readonly<Record<string, string>>): string {
  for (const [from, to] of Object.entries(fields)) {
    if (from === field) return to;
    if (from.endsWith(".") && field.startsWith(from)) return to + field.slice(from.length);
  }
  return field;
}

/** The server writes "must be …", to follow the field's name; below a labelled field it begins a sentence. */
function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}
