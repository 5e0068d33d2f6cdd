// One integration and how to change it: what the server answers takes the place of what was cached.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api } from "../../api/client";
import type { components } from "../../api/schema";
import { placeErrors } from "../../lib/fieldErrors";
import type { IntegrationView, UpdateIntegration } from "./types";

type Schemas = components["schemas"];

const INTEGRATION = "/api/v1/integrations/{id}";

export function useIntegration(id: string) {
  return $api.useQuery("get", INTEGRATION, { params: { path: { id } } });
}

type SetErrors = (errors: Record<string, string>) => void;

export function useSaveIntegration(id: string) {
  const cache = useQueryClient();
  const [problem, setProblem] = useState<unknown>(null);
  const patch = $api.useMutation("patch", INTEGRATION);

  /** The integration as it is now, or null when the change was refused. `shows` names the fields of a form. */
  const save = async (
    change: UpdateIntegration,
    form?: { shows: (field: string) => boolean; setErrors: SetErrors },
  ): Promise<IntegrationView | null> => {
    setProblem(null);
    const params = { path: { id } };
    try {
      const saved = await patch.mutateAsync({ params, body: change as Schemas["UpdateIntegration"] });
      cache.setQueryData(["get", INTEGRATION, { params }], saved);
      for (const path of ["/api/v1/integrations", "/api/v1/overview"])
        void cache.invalidateQueries({ queryKey: ["get", path] });
      return saved;
    } catch (error) {
      const placed = placeErrors(error, form?.shows ?? (() => false), { codes: { name_taken: "name" } });
      form?.setErrors(placed.errors);
      if (!placed.isComplete) setProblem(error);
      return null;
    }
  };
  return { save, problem, isSaving: patch.isPending };
}
