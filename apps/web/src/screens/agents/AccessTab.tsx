// Which people an agent exists for.

import { Stack } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";
import { Loaded } from "../../components/Loaded";
import { notifyDone } from "../../components/notify";
import { PeopleRestriction } from "../../components/PeopleRestriction";
import { ListSkeleton } from "../../components/Skeletons";
import type { AgentView } from "./types";

const PEOPLE = "/api/v1/agents/{id}/people";

export function AccessTab({ agent }: { agent: AgentView }) {
  const cache = useQueryClient();
  const params = { path: { id: agent.id } };
  const people = $api.useQuery("get", PEOPLE, { params });
  const put = $api.useMutation("put", PEOPLE, {
    onSuccess: (now) => {
      cache.setQueryData(["get", PEOPLE, { params }], now);
      notifyDone(now.restricted ? `${agent.name} is for these people only.` : `Everybody sees ${agent.name}.`);
    },
  });
  return (
    <Stack gap="lg">
      <Loaded query={people} failure="Who sees it could not be read" skeleton={<ListSkeleton />}>
        {(known) => (
          <PeopleRestriction
            // A saved answer begins a new draft.
            key={JSON.stringify(known)}
            what={agent.name}
            people={known}
            isSaving={put.isPending}
            onSave={(body) => put.mutate({ params, body })}
          />
        )}
      </Loaded>
      {put.isError && <ErrorState error={put.error} title="Who sees it was not changed" />}
    </Stack>
  );
}
