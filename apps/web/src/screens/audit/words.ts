// Audit entries as people read them. Actions are stable words for programs; here they become "Agent updated".
import type { AuditEntryView } from "../../api/types";

export function actionWords(action: string): string {
  const text = action.replace(/[._]/g, " ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

export function actorName({ actor }: AuditEntryView): string {
  if (actor.name) return actor.name;
  return actor.kind === "system" ? "The server" : `An unnamed ${actor.kind}`;
}

export function subjectName({ subject }: AuditEntryView): string {
  return subject.name ?? subject.kind.replace(/_/g, " ");
}
