// The whole map of the app: every screen is its own chunk, and what a URL may say is checked here.

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { queryClient } from "./api/queryClient";
import { sessionQuery } from "./api/session";
import { AppShell } from "./components/AppShell";
import { PageSkeleton } from "./components/Skeletons";
import { LostScreen, NotFound, ScreenError } from "./screens/access/ErrorScreens";

type Context = { queryClient: QueryClient };
type Search<Name extends string> = { [Key in Name]?: string };

/** Search params that are words; what is no text is dropped. */
function words<Name extends string>(...names: Name[]) {
  return (search: Record<string, unknown>): Search<Name> => {
    const known: Search<Name> = {};
    for (const name of names) {
      const value = search[name];
      if (typeof value === "string" && value !== "") known[name] = value;
      else if (typeof value === "number" || typeof value === "boolean") known[name] = String(value);
    }
    return known;
  };
}

const root = createRootRouteWithContext<Context>()({ notFoundComponent: LostScreen });

/** Everything for which one must be logged in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: AppShell,
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session === null) {
      throw redirect({ to: "/login", search: location.href === "/" ? {} : { return_to: location.href } });
    }
  },
});

const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./screens/home/HomeScreen"), "HomeScreen"),
});
const inbox = createRoute({
  getParentRoute: () => shell,
  path: "/inbox",
  validateSearch: words("integration_id", "agent_id", "conversation_id", "status", "text"),
  component: lazyRouteComponent(() => import("./screens/inbox/InboxScreen"), "InboxScreen"),
});
const workItem = createRoute({
  getParentRoute: () => shell,
  path: "/work-items/$id",
  component: lazyRouteComponent(() => import("./screens/work/WorkItemScreen"), "WorkItemScreen"),
});
const job = createRoute({
  getParentRoute: () => shell,
  path: "/jobs/$id",
  validateSearch: words("message"),
  component: lazyRouteComponent(() => import("./screens/jobs/JobScreen"), "JobScreen"),
});
const chat = createRoute({
  getParentRoute: () => shell,
  path: "/chat",
  validateSearch: words("agent_id"),
  component: lazyRouteComponent(() => import("./screens/chat/ChatScreen"), "ChatScreen"),
});
const conversation = createRoute({
  getParentRoute: () => shell,
  path: "/chat/$conversationId",
  component: lazyRouteComponent(() => import("./screens/chat/ChatScreen"), "ChatScreen"),
});
const agents = createRoute({
  getParentRoute: () => shell,
  path: "/agents",
  component: lazyRouteComponent(() => import("./screens/agents/AgentsScreen"), "AgentsScreen"),
});
const newAgent = createRoute({
  getParentRoute: () => shell,
  path: "/agents/new",
  validateSearch: words("template"),
  component: lazyRouteComponent(() => import("./screens/agents/NewAgentScreen"), "NewAgentScreen"),
});
const agent = createRoute({
  getParentRoute: () => shell,
  path: "/agents/$id",
  validateSearch: words("tab", "part", "path", "file", "status"),
  component: lazyRouteComponent(() => import("./screens/agents/AgentScreen"), "AgentScreen"),
});
const integrations = createRoute({
  getParentRoute: () => shell,
  path: "/integrations",
  component: lazyRouteComponent(() => import("./screens/integrations/IntegrationsScreen"), "IntegrationsScreen"),
});
const newIntegration = createRoute({
  getParentRoute: () => shell,
  path: "/integrations/new",
  validateSearch: words("type"),
  component: lazyRouteComponent(() => import("./screens/integrations/NewIntegrationScreen"), "NewIntegrationScreen"),
});
const integration = createRoute({
  getParentRoute: () => shell,
  path: "/integrations/$id",
  component: lazyRouteComponent(() => import("./screens/integrations/IntegrationScreen"), "IntegrationScreen"),
});
const effects = createRoute({
  getParentRoute: () => shell,
  path: "/effects",
  validateSearch: words("status", "agent_id", "work_item_id", "job_id", "id"),
  component: lazyRouteComponent(() => import("./screens/effects/EffectsScreen"), "EffectsScreen"),
});
const approvals = createRoute({
  getParentRoute: () => shell,
  path: "/approvals",
  validateSearch: words("status", "agent_id", "job_id", "id"),
  component: lazyRouteComponent(() => import("./screens/approvals/ApprovalsScreen"), "ApprovalsScreen"),
});
const costs = createRoute({
  getParentRoute: () => shell,
  path: "/costs",
  validateSearch: words("from", "to", "group"),
  component: lazyRouteComponent(() => import("./screens/costs/CostsScreen"), "CostsScreen"),
});
const audit = createRoute({
  getParentRoute: () => shell,
  path: "/audit",
  validateSearch: words("action", "subject_id", "actor_id", "from", "to", "id"),
  component: lazyRouteComponent(() => import("./screens/audit/AuditScreen"), "AuditScreen"),
});
const settingsStart = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/$section", params: { section: "security" } });
  },
});
const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings/$section",
  component: lazyRouteComponent(() => import("./screens/settings/SettingsScreen"), "SettingsScreen"),
});
const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: words("return_to", "error"),
  component: lazyRouteComponent(() => import("./screens/access/LoginScreen"), "LoginScreen"),
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./screens/access/WelcomeScreen"), "WelcomeScreen"),
});

const routeTree = root.addChildren([
  shell.addChildren([
    home,
    inbox,
    workItem,
    job,
    chat,
    conversation,
    agents,
    newAgent,
    agent,
    integrations,
    newIntegration,
    integration,
    effects,
    approvals,
    costs,
    audit,
    settingsStart,
    settings,
  ]),
  login,
  welcome,
]);

export const router = createRouter({
  routeTree,
  context: { queryClient },
  defaultPreload: "intent",
  defaultPendingComponent: PageSkeleton,
  defaultErrorComponent: ScreenError,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
  scrollToTopSelectors: ["#main"],
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
