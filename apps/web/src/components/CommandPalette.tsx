// The command palette: go to a place, an agent or an integration by typing some of its name, or do one of a few things.
import { useMantineColorScheme } from "@mantine/core";
import { createSpotlight, Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import {
  type Icon,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconPlugConnected,
  IconPlus,
  IconRobot,
  IconSearch,
  IconSun,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { $api } from "../api/client";
import { useMay } from "../api/session";
import type { Place } from "./places";
import { useLogOut } from "./UserMenu";

type Props = { places: readonly Place[]; close: () => void; openSheet: () => void };

const icon = (Shown: Icon) => <Shown size={16} stroke={1.75} aria-hidden />;

export default function CommandPalette({ places, close, openSheet }: Props) {
  const [[store, spotlight]] = useState(createSpotlight);
  const things = useThings();
  const actions = useActions(openSheet);
  const navigate = useNavigate();
  useEffect(() => spotlight.open(), [spotlight]);
  const goTo: SpotlightActionGroupData = {
    group: "Go to",
    actions: places.map((place) => ({
      id: place.to,
      label: place.label,
      leftSection: icon(place.icon),
      onClick: () => void navigate({ to: place.to }),
    })),
  };
  return (
    <Spotlight
      store={store}
      actions={[goTo, ...things, actions].filter((group) => group.actions.length > 0)}
      onSpotlightClose={close}
      shortcut={null}
      highlightQuery
      overlayProps={{ blur: 0 }}
      attributes={{ content: { "aria-label": "Command palette" } }}
      scrollable
      maxHeight={400}
      limit={30}
      nothingFound="Nothing has that name."
      searchProps={{
        leftSection: icon(IconSearch),
        placeholder: "Go to a page, an agent, an integration, or do something…",
        "aria-label": "Search commands",
      }}
      transitionProps={{ duration: 100 }}
    />
  );
}

/** Agents and integrations by name. */
function useThings(): SpotlightActionGroupData[] {
  const navigate = useNavigate();
  const query = { params: { query: { limit: 100 } } };
  const seesAgents = useMay("agents", "read");
  const seesIntegrations = useMay("integrations", "read");
  const agents = $api.useQuery("get", "/api/v1/agents", query, { enabled: seesAgents });
  const integrations = $api.useQuery("get", "/api/v1/integrations", query, { enabled: seesIntegrations });
  return [
    {
      group: "Agents",
      actions: (agents.data?.items ?? []).map((agent) => ({
        id: agent.id,
        label: agent.name,
        description: agent.model ?? "Default model",
        leftSection: icon(IconRobot),
        onClick: () => void navigate({ to: "/agents/$id", params: { id: agent.id } }),
      })),
    },
    {
      group: "Integrations",
      actions: (integrations.data?.items ?? []).map((integration) => ({
        id: integration.id,
        label: integration.name,
        description: integration.type,
        leftSection: icon(IconPlugConnected),
        onClick: () => void navigate({ to: "/integrations/$id", params: { id: integration.id } }),
      })),
    },
  ];
}

function useActions(openSheet: () => void): SpotlightActionGroupData {
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const logOut = useLogOut();
  const mayCreateAgents = useMay("agents", "administer");
  const mayConnect = useMay("integrations", "administer");
  const goesDark = colorScheme !== "dark";
  return {
    group: "Actions",
    actions: [
      ...(mayCreateAgents
        ? [
            {
              id: "new-agent",
              label: "Create an agent",
              leftSection: icon(IconPlus),
              onClick: () => void navigate({ to: "/agents/new" }),
            },
          ]
        : []),
      ...(mayConnect
        ? [
            {
              id: "new-integration",
              label: "Connect an integration",
              leftSection: icon(IconPlus),
              onClick: () => void navigate({ to: "/integrations/new" }),
            },
          ]
        : []),
      {
        id: "look",
        label: goesDark ? "Use the dark look" : "Use the light look",
        leftSection: icon(goesDark ? IconMoon : IconSun),
        onClick: () => setColorScheme(goesDark ? "dark" : "light"),
      },
      { id: "shortcuts", label: "Show keyboard shortcuts", leftSection: icon(IconKeyboard), onClick: openSheet },
      { id: "log-out", label: "Log out", leftSection: icon(IconLogout), onClick: () => void logOut() },
    ],
  };
}
