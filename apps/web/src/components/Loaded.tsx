// What was asked of the server. What is known stays in sight, with the drafts in it, when asking again fails; the
// failure then stands above it.
import type { ReactNode } from "react";
import { ErrorState } from "./ErrorState";

export type LoadedProps<Data> = {
  query: { data: Data | undefined; error: unknown; refetch: () => unknown };
  /** What could not be done: "The people could not be loaded". */
  failure: string;
  /** Until there is something. */
  skeleton: ReactNode;
  children: (data: Data) => ReactNode;
};

export function Loaded<Data>({ query, failure, skeleton, children }: LoadedProps<Data>) {
  const { data, error, refetch } = query;
  const problem = error !== null && <ErrorState error={error} title={failure} retry={() => void refetch()} />;
  if (data === undefined) return problem || skeleton;
  return (
    <>
      {problem}
      {children(data)}
    </>
  );
}
