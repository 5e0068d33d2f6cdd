// Who is logged in and what they may do. Screens hide what `useMay` says no to; the server decides anyway.
import { type QueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { client, Problem, setCsrfToken } from "./client";
import { queryClient } from "./queryClient";
import type { Area, Right, SessionView } from "./types";

export const sessionKey = ["session"] as const;

const ORDER: readonly Right[] = ["read", "operate", "administer"];

async function fetchSession(cache: QueryClient): Promise<SessionView | null> {
  try {
    const { data } = await client.GET("/api/v1/session");
    if (data === undefined) return null;
    const before = cache.getQueryData<SessionView | null>(sessionKey);
    if (before && before.user?.id !== data.user?.id) throw somebodyElse();
    setCsrfToken(data.csrf_token);
    return data;
  } catch (error) {
    // A server without an owner is shut towards the network, and says so; the login leads on from there.
    if (error instanceof Problem && (error.status === 401 || error.code === "setup_required")) return null;
    throw error;
  }
}

/** Somebody else logged in in another tab: nothing on this page is theirs, and it sends nothing in their name. */
function somebodyElse(): Problem {
  window.location.reload();
  return new Problem({
    code: "somebody_else",
    title: "Somebody else is logged in now",
    detail: "Another person logged in in this browser, so this page loads again.",
    status: 403,
  });
}

export const sessionQuery = {
  queryKey: sessionKey,
  queryFn: ({ client: cache }: { client: QueryClient }) => fetchSession(cache),
  staleTime: Number.POSITIVE_INFINITY,
};

/** After another login of the same person: takes its token. False when nobody is logged in. */
export async function renewSession(): Promise<boolean> {
  return (await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 })) !== null;
}

/** Asks again what the person may do, after the server said no to what the page offered. */
export function refreshRights(): void {
  // Many requests may be refused at once, this question among them: one is enough, and never another because of it.
  void queryClient.invalidateQueries({ queryKey: sessionKey }, { cancelRefetch: false });
}

/** Puts a fresh login in place of whatever the cache held for somebody else. */
export function beginSession(session: SessionView): void {
  queryClient.clear();
  setCsrfToken(session.csrf_token);
  queryClient.setQueryData(sessionKey, session);
}

/** Forgets everything the person who left could see. */
export function endSession(): void {
  // Answers that come late say it again; by then the cache holds what the login page asked for.
  if (queryClient.getQueryData(sessionKey) === null) return;
  setCsrfToken(null);
  queryClient.clear();
  queryClient.setQueryData(sessionKey, null);
}

/** The login; only below the shell, which lets nobody in without one. */
export function useSession(): SessionView {
  const { data } = useSuspenseQuery(sessionQuery);
  if (data === null) {
    throw new Problem({
      code: "unauthenticated",
      title: "You are logged out",
      detail: "Your session ended. Reload the page to log in again.",
      status: 401,
    });
  }
  return data;
}

export function may(session: SessionView, area: Area, right: Right): boolean {
  const granted = session.rights[area];
  return granted !== null && ORDER.indexOf(granted) >= ORDER.indexOf(right);
}

/** Whether the person is an owner: who is let in, and as what, is for owners alone. */
export function useIsOwner(): boolean {
  return useSession().role === "owner";
}

/** Whether the person may do this; hide what they may not. */
export function useMay(area: Area, right: Right): boolean {
  return may(useSession(), area, right);
}
