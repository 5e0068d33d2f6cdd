// The state of a sprite and how to look again. The feed tells when a tool ended, and that is when files and
// processes may have changed; nothing here asks by the clock.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { $api } from "../../../api/client";

const SPRITE = "/api/v1/agents/{id}/sprite";

export function useSprite(agentId: string) {
  return $api.useQuery("get", SPRITE, { params: { path: { id: agentId } } });
}

/** Looks again at everything shown of a sprite: state, files, output. */
export function useRefreshSprite(agentId: string): () => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    () =>
      client.invalidateQueries({
        predicate: ({ queryKey: [, path, init] }) =>
          typeof path === "string" && path.startsWith(SPRITE) && isOf(init, agentId),
      }),
    [client, agentId],
  );
}

function isOf(init: unknown, agentId: string): boolean {
  const { params } = (init ?? {}) as { params?: { path?: { id?: string } } };
  return params?.path?.id === agentId;
}
