// The one cache of what the server said. Live events keep it fresh, so nothing in it is fetched on a timer.
import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./client";

const MOST_RETRIES = 2;

/** Asking again helps only where the answer was about the moment. */
function retry(failures: number, error: unknown): boolean {
  const passing = error instanceof Problem && (error.status === 0 || error.status === 503);
  return passing && failures < MOST_RETRIES;
}

// The browser knows only whether there is a network, not whether the server answers, and what it would hold back waits
// without a word. The client says what is wrong instead.
const networkMode = "always";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 10_000, retry, networkMode },
    mutations: { retry: false, networkMode },
  },
});
