// A page for something the person may not do: says so, and who can. Links to it are hidden, but people follow old ones.
import { IconLock } from "@tabler/icons-react";
import { EmptyState } from "./EmptyState";

export type NotAllowedProps = {
  /** What is not allowed: "Making agents". */
  what: string;
};

export function NotAllowed({ what }: NotAllowedProps) {
  return (
    <EmptyState icon={IconLock} title={`${what} is for admins`}>
      Your role does not include it. Ask an owner or an admin of this server.
    </EmptyState>
  );
}
