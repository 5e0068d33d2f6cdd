// Where the page begins: the theme, the cache and the map of the app around everything else.
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./theme.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { onForbidden, onSignedOut, onStaleToken } from "./api/client";
import { queryClient } from "./api/queryClient";
import { endSession, refreshRights, renewSession } from "./api/session";
import { router } from "./router";
import { cssVariables, theme } from "./theme";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
// For the scroll lock below dialogs, which writes a style element of its own.
setNonce(nonce);

onSignedOut(() => {
  endSession();
  // The shell lets nobody in without a session, and remembers where they were.
  void router.invalidate();
});
onForbidden(refreshRights);
onStaleToken(renewSession);

const place = document.getElementById("root");
if (place === null) throw new Error("index.html has no element with the id root");
createRoot(place).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
