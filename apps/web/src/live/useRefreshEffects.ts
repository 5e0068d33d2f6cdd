// After a person changed an effect or answered a question: the lists and counts that show it are asked for again. The
// feed says so too, but a little later, and a button that seems to have done nothing is pressed twice.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

const TOUCHED = [
  "/api/v1/effects",
  "/api/v1/effects/{id}",
  "/api/v1/approvals",
  "/api/v1/approvals/{id}",
  "/api/v1/overview",
];

export function useRefreshEffects(): () => Promise<void> {
  const cache = useQueryClient();
  return useCallback(
    () => cache.invalidateQueries({ predicate: ({ queryKey }) => TOUCHED.includes(String(queryKey[1])) }),
    [cache],
  );
}
