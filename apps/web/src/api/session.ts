// Who is logged in and what they may do. Screens hide what `useMay` says no to; the server decides anyway.
import { useSuspenseQuery } from "@tanstack/react-query";
import { client, Problem, setCsrfToken } from "./client";
import { queryClient } from "./queryClient";
import type { Area, Right, SessionView } from "./types";

export const sessionKey = ["session"] as const;

const ORDER: readonly Right[] = ["read", "operate", "administer"];

async function fetchSession(): Promise<SessionView | null> {
  try {
    const { data } = await client.GET("/api/v1/session");
    if (data === undefined) return null;
    setCsrfToken(data.csrf_token);
    return data;
  } catch (error) {
    // A server without an owner is shut towards the network, and says so; the login leads on from there.
    if (error instanceof Problem && (error.status === 401 || error.code === "setup_required")) return null;
    throw error;
  }
}

export const sessionQuery = {
  queryKey: sessionKey,
  queryFn: fetchSession,
  staleTime: Number.POSITIVE_INFINITY,
};

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
