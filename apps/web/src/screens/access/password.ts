// What makes a password acceptable. The server decides; this says it before the request.

const LEAST_CHARACTERS = 10;

export function passwordProblem(password: string): string | null {
  return [...password].length >= LEAST_CHARACTERS
    ? null
    : `Use at least ${LEAST_CHARACTERS} characters. A sentence is easy to remember.`;
}
