// The frame of the app: the rail (on a phone a bar), the live dot, the demo banner, the palette and the keyboard. It
// opens the one live connection while somebody is logged in.
import { Anchor } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { $api } from "../api/client";
import { useMay, useSession } from "../api/session";
import { GO_TO, useKeys } from "../lib/keys";
import { feed } from "../live/feed";
import { keepFresh } from "../live/freshness";
import classes from "./AppShell.module.css";
import { TextLink } from "./Links";
import { PhoneBar } from "./PhoneBar";
import { placesFor } from "./places";
import { Rail } from "./Rail";
import { PageSkeleton } from "./Skeletons";

const CommandPalette = lazy(() => import("./CommandPalette"));
const ShortcutsSheet = lazy(() => import("./ShortcutsSheet"));

export function AppShell() {
  const session = useSession();
  const places = placesFor(session);
  const [sheetOpened, sheet] = useDisclosure(false);
  const [paletteOpened, palette] = useDisclosure(false);
  const navigate = useNavigate();
  useFeed();
  const go = (key: string) => {
    const place = GO_TO.find((one) => one.key === key);
    if (place !== undefined && places.some((one) => one.to === place.to)) void navigate({ to: place.to });
  };
  useKeys({ go, help: sheet.open });
  useHotkeys([["mod+K", palette.open]], []);
  return (
    <div className={classes.shell}>
      <Anchor href="#main" className={classes.skip}>
        Skip to the content
      </Anchor>
      <Rail places={places} session={session} openPalette={palette.open} openSheet={sheet.open} />
      <div className={classes.column}>
        <DemoBanner />
        <main id="main" tabIndex={-1} className={classes.main} data-scroll-restoration-id="main">
          <Suspense fallback={<PageSkeleton />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <PhoneBar places={places} session={session} openPalette={palette.open} />
      <Suspense fallback={null}>
        {paletteOpened && <CommandPalette places={places} close={palette.close} openSheet={sheet.open} />}
        {sheetOpened && <ShortcutsSheet places={places} close={sheet.close} />}
      </Suspense>
    </div>
  );
}

function useFeed() {
  const cache = useQueryClient();
  useEffect(() => {
    const stop = keepFresh(feed, cache);
    feed.start();
    return () => {
      feed.stop();
      stop();
    };
  }, [cache]);
}

/** Nobody should mistake the scripted model for intelligence. */
function DemoBanner() {
  const { data } = $api.useQuery("get", "/api/v1/access", {}, { staleTime: 300_000 });
  const mayChange = useMay("settings", "administer");
  if (data?.demo_model !== true) return null;
  return (
    <section className={classes.demo} aria-label="About the model">
      The built-in model <code>demo/scripted</code> answers, without AI.{" "}
      {mayChange ? (
        <>
          Add a real one in{" "}
          <TextLink to="/settings/$section" params={{ section: "providers" }} inherit underline="always">
            Settings → Models
          </TextLink>
        </>
      ) : (
        "An admin can add a real one."
      )}
    </section>
  );
}
