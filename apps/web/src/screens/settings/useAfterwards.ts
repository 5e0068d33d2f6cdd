// Every change in the settings ends the same way: the lists it touched are asked for again and the person is told.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { notifyDone } from "../../components/notify";

export function useAfterwards(...paths: string[]): (message: string) => Promise<void> {
  const cache = useQueryClient();
  const touched = paths.join(" ");
  return useCallback(
    async (message) => {
      notifyDone(message);
      const all = touched.split(" ");
      await cache.invalidateQueries({ predicate: ({ queryKey }) => all.includes(String(queryKey[1])) });
    },
    [cache, touched],
  );
}
