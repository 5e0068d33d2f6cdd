// Which people an integration exists for.
import { Stack } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";
import { Loaded } from "../../components/Loaded";
import { notifyDone } from "../../components/notify";
import { PeopleRestriction } from "../../components/PeopleRestriction";
import { ListSkeleton } from "../../components/Skeletons";
import type { IntegrationView } from "./types";

const PEOPLE = "/api/v1/integrations/{id}/people";

export function IntegrationPeople({ integration }: { integration: IntegrationView }) {
  const cache = useQueryClient();
  const params = { path: { id: integration.id } };
  const people = $api.useQuery("get", PEOPLE, { params });
  const put = $api.useMutation("put", PEOPLE, {
    onSuccess: (now) => {
      cache.setQueryData(["get", PEOPLE, { params }], now);
      notifyDone(
        now.restricted ? `${integration.name} is for these people only.` : `Everybody sees ${integration.name}.`,
      );
    },
  });
  return (
    <Stack gap="md">
      <Loaded query={people} failure="Who sees it could not be read" skeleton={<ListSkeleton rows={2} />}>
        {(known) => (
          <PeopleRestriction
            // A saved answer begins a new draft.
            key={JSON.stringify(known)}
            what={integration.name}
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
