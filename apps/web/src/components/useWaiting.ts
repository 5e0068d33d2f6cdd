// How many approvals wait, for the number beside their place in the rail.
import { $api } from "../api/client";

export function useWaiting(): number {
  return $api.useQuery("get", "/api/v1/overview").data?.needs.approvals ?? 0;
}
