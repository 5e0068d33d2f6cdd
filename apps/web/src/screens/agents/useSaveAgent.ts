// Saving a change to an agent from any of its tabs: refused fields go back to the form, the cached agent becomes
// what the server answered, and lists that name it are asked for again.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api } from "../../api/client";
import { placeErrors } from "../../lib/fieldErrors";
import type { AgentView, UpdateAgent } from "./types";

const AGENT = "/api/v1/agents/{id}";

/** Form fields by the API's names, for every form about an agent. */
export const AGENT_FIELDS = {
  fields: { budget_micros_per_day: "budget" },
  codes: { name_taken: "name" },
} as const;

type Form = { values: object; setErrors: (errors: Record<string, string>) => void };

export function useSaveAgent(agentId: string) {
  const cache = useQueryClient();
  const [problem, setProblem] = useState<unknown>(null);
  const patch = $api.useMutation("patch", AGENT);

  /** The agent as it is now, or null when the change was refused. */
  const save = async (change: UpdateAgent, form?: Form): Promise<AgentView | null> => {
    setProblem(null);
    try {
      const params = { path: { id: agentId } };
      const agent = await patch.mutateAsync({ params, body: change });
      cache.setQueryData(["get", AGENT, { params }], agent);
      for (const path of ["/api/v1/agents", "/api/v1/overview"])
        void cache.invalidateQueries({ queryKey: ["get", path] });
      return agent;
    } catch (error) {
      const shows = (field: string) => form !== undefined && (field.split(".")[0] ?? "") in form.values;
      const placed = placeErrors(error, shows, AGENT_FIELDS);
      form?.setErrors(placed.errors);
      if (!placed.isComplete) setProblem(error);
      return null;
    }
  };
  return { save, problem, isSaving: patch.isPending };
}
