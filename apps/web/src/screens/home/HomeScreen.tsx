// Home answers in five seconds: is anything waiting for me, is anything broken, what are my agents doing, what did
// it cost. Everything on it is one answer of the server, kept fresh by the feed.
import { Stack } from "@mantine/core";
import { IconRobot } from "@tabler/icons-react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink } from "../../components/Links";
import { Page } from "../../components/Page";
import { CardSkeleton } from "../../components/Skeletons";
import { AgentsAtAGlance } from "./AgentsAtAGlance";
import { HealthPanel } from "./HealthPanel";
import { NeedsMe } from "./NeedsMe";
import { RunningJobs } from "./RunningJobs";

export function HomeScreen() {
  const overview = $api.useQuery("get", "/api/v1/overview");
  return (
    <Page title="Home">
      {overview.isPending && (
        <Stack gap="lg">
          <CardSkeleton height={88} />
          <CardSkeleton height={200} />
        </Stack>
      )}
      {overview.isError && overview.data === undefined && (
        <ErrorState
          error={overview.error}
          title="The overview could not be loaded"
          retry={() => void overview.refetch()}
        />
      )}
      {overview.data !== undefined && (
        <Stack gap="xl">
          <NeedsMe needs={overview.data.needs} spendTodayMicros={overview.data.spend_today_micros} />
          {overview.data.agents.length === 0 ? (
            <NoAgents />
          ) : (
            <>
              <RunningJobs jobs={overview.data.running} agents={overview.data.agents} />
              <AgentsAtAGlance agents={overview.data.agents} />
            </>
          )}
          <HealthPanel overview={overview.data} />
        </Stack>
      )}
    </Page>
  );
}

function NoAgents() {
  const mayCreate = useMay("agents", "administer");
  return (
    <EmptyState
      icon={IconRobot}
      title="No agents yet"
      action={mayCreate && <ButtonLink to="/agents/new">Create an agent</ButtonLink>}
    >
      Here you will see what your agents are doing and what they cost. An agent has a name, instructions, a model, and a
      computer of its own to work on.
    </EmptyState>
  );
}
