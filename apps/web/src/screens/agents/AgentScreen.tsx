// One agent in tabs. Which tab, and where in it, is in the URL.
import { ActionIcon, Alert, Group, Menu, Tabs, Text } from "@mantine/core";
import { IconDots, IconTrash } from "@tabler/icons-react";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink, TextLink } from "../../components/Links";
import { Page } from "../../components/Page";
import { ListSkeleton, PageSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";
import { useAgentFacts } from "./AgentFacts";
import { AGENT_TABS, type AgentSearch, type AgentTab, agentSearch } from "./agentSearch";
import { DeleteAgent } from "./DeleteAgent";
import { OverviewTab } from "./OverviewTab";
import type { AgentView } from "./types";

// Forms and terminals are larger than what most people come to see.
const AccessTab = lazy(async () => ({ default: (await import("./AccessTab")).AccessTab }));
const ActivityTab = lazy(async () => ({ default: (await import("./ActivityTab")).ActivityTab }));
const BehaviourTab = lazy(async () => ({ default: (await import("./BehaviourTab")).BehaviourTab }));
const InstructionsTab = lazy(async () => ({ default: (await import("./InstructionsTab")).InstructionsTab }));
const SpriteTab = lazy(async () => ({ default: (await import("./sprite/SpriteTab")).SpriteTab }));

const LABELS: Record<AgentTab, string> = {
  overview: "Overview",
  instructions: "Instructions",
  behaviour: "Behaviour",
  sprite: "Sprite",
  activity: "Activity",
  access: "Access",
};

/** What there is only to change; the overview tells the same to those who may not. */
const CHANGING: readonly AgentTab[] = ["behaviour", "access"];

export function AgentScreen() {
  const { id } = useParams({ from: "/shell/agents/$id" });
  const agent = $api.useQuery("get", "/api/v1/agents/{id}", { params: { path: { id } } });
  const back = (
    <TextLink to="/agents" size="sm">
      Agents
    </TextLink>
  );
  const problem = agent.error !== null && (
    <ErrorState error={agent.error} title="This agent could not be loaded" retry={agent.refetch} />
  );
  // Another agent begins with fresh forms.
  if (agent.data !== undefined) return <Agent key={agent.data.id} agent={agent.data} back={back} problem={problem} />;
  if (agent.error === null) return <PageSkeleton />;
  return (
    <Page title="Agent" back={back}>
      {problem}
    </Page>
  );
}

type AgentProps = { agent: AgentView; back: React.ReactNode; problem: React.ReactNode };

function Agent({ agent, back, problem }: AgentProps) {
  const search = agentSearch(useSearch({ from: "/shell/agents/$id" }));
  const navigate = useNavigate();
  const facts = useAgentFacts().get(agent.id);
  // An agent that was deleted cannot be changed by anybody.
  const mayChange = useMay("agents", "administer") && agent.archived_at === null;
  const mayChat = useMay("work", "operate") && agent.archived_at === null && agent.enabled;
  const [isDeleting, setDeleting] = useState(false);
  const go = (next: AgentSearch) => navigate({ to: "/agents/$id", params: { id: agent.id }, search: next });
  const tabs = AGENT_TABS.filter((name) => mayChange || !CHANGING.includes(name));
  const tab = tabs.find((name) => name === search.tab) ?? "overview";
  return (
    <Page
      title={agent.name}
      back={back}
      badge={<StatusBadge kind="agent" status={agent.enabled ? (facts?.state ?? "idle") : "disabled"} />}
      action={
        <Group gap="sm">
          {mayChat && (
            <ButtonLink to="/chat" search={{ agent_id: agent.id }}>
              Chat
            </ButtonLink>
          )}
          {mayChange && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={30} aria-label={`More about ${agent.name}`}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item
                  color="red"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => setDeleting(true)}
                >
                  Delete…
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
      }
    >
      {problem}
      {agent.archived_at !== null && (
        <Alert variant="outline" color="gray" title="This agent was deleted" mb="lg">
          <Text size="sm">What it did stays readable; it takes no work and cannot be changed.</Text>
        </Alert>
      )}
      <Tabs value={tab} onChange={(next) => go({ tab: next as AgentTab })} keepMounted={false}>
        <Tabs.List mb="xl" aria-label={`About ${agent.name}`}>
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {LABELS[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab}>
          <Suspense fallback={<ListSkeleton rows={4} />}>
            {tab === "overview" && <OverviewTab agent={agent} />}
            {tab === "instructions" && <InstructionsTab agent={agent} />}
            {tab === "behaviour" && <BehaviourTab agent={agent} />}
            {tab === "sprite" && (
              <SpriteTab agent={agent} place={search} onPlace={(place) => go({ tab: "sprite", ...place })} />
            )}
            {tab === "activity" && (
              <ActivityTab
                agent={agent}
                status={search.status}
                onStatus={(status) => go({ tab: "activity", status })}
              />
            )}
            {tab === "access" && <AccessTab agent={agent} />}
          </Suspense>
        </Tabs.Panel>
      </Tabs>
      <DeleteAgent agent={agent} isOpen={isDeleting} onClose={() => setDeleting(false)} />
    </Page>
  );
}
