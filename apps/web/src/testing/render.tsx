// Renders a screen or a component as the app would: theme, cache, login and a router in memory.
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from "@tanstack/react-router";
import { type RenderResult, render } from "@testing-library/react";
import { type ReactNode, Suspense } from "react";
import { sessionKey } from "../api/session";
import type { SessionView } from "../api/types";
import { theme } from "../theme";
import { session } from "./session";

export type RenderOptions = {
  /** The route the screen is on below the shell, with its params: "/jobs/$id". Default: "/". */
  route?: string;
  /** The address; default: the route. */
  path?: string;
  session?: SessionView;
  /** Not below the shell, like the login. */
  above?: boolean;
};

export function renderScreen(ui: ReactNode, options: RenderOptions = {}): RenderResult & { queryClient: QueryClient } {
  const { route = "/", path = route } = options;
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  queryClient.setQueryData(sessionKey, options.session ?? session());
  queryClient.setQueryDefaults(sessionKey, { staleTime: Number.POSITIVE_INFINITY });
  const root = createRootRoute({ component: Outlet });
  const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Outlet });
  const screen = { path: route, component: () => ui };
  // Links of the screen may lead anywhere; they are not followed here.
  const rest = createRoute({ getParentRoute: () => root, path: "$", component: () => null });
  const router = createRouter({
    routeTree: options.above
      ? root.addChildren([createRoute({ ...screen, getParentRoute: () => root }), rest])
      : root.addChildren([shell.addChildren([createRoute({ ...screen, getParentRoute: () => shell })]), rest]),
    history: createMemoryHistory({ initialEntries: [path] }),
  });
  const result = render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={queryClient}>
        <Suspense fallback={null}>
          {/* The app's router is registered as the type of every router; this one has its own routes. */}
          <RouterProvider router={router as never} />
        </Suspense>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...result, queryClient };
}
