// The settings: one page, its parts side by side. Parts a person may not see are not offered; what everybody has
// (their own login and tokens, what this server is) comes first.
import { Link, useParams } from "@tanstack/react-router";
import { type ComponentType, lazy, Suspense } from "react";
import { may, useSession } from "../../api/session";
import type { SessionView } from "../../api/types";
import { Page } from "../../components/Page";
import { ListSkeleton } from "../../components/Skeletons";
import { NotFound } from "../access/ErrorScreens";
import classes from "./SettingsScreen.module.css";

type Part = {
  section: string;
  label: string;
  isShown: (session: SessionView) => boolean;
  component: ComponentType;
};

const everybody = () => true;
const settings = (session: SessionView) => may(session, "settings", "read");

const PARTS: readonly Part[] = [
  {
    section: "security",
    label: "Security",
    isShown: everybody,
    component: lazy(async () => ({ default: (await import("./SecuritySection")).SecuritySection })),
  },
  {
    section: "tokens",
    label: "Tokens",
    isShown: everybody,
    component: lazy(async () => ({ default: (await import("./TokensSection")).TokensSection })),
  },
  {
    section: "people",
    label: "People",
    isShown: (session) => may(session, "people", "read"),
    component: lazy(async () => ({ default: (await import("./PeopleSection")).PeopleSection })),
  },
  {
    section: "providers",
    label: "Models",
    isShown: settings,
    component: lazy(async () => ({ default: (await import("./ProvidersSection")).ProvidersSection })),
  },
  {
    section: "sso",
    label: "Single sign-on",
    isShown: settings,
    component: lazy(async () => ({ default: (await import("./SsoSection")).SsoSection })),
  },
  {
    section: "retention",
    label: "Retention",
    isShown: settings,
    component: lazy(async () => ({ default: (await import("./RetentionSection")).RetentionSection })),
  },
  {
    section: "about",
    label: "About",
    isShown: settings,
    component: lazy(async () => ({ default: (await import("./AboutSection")).AboutSection })),
  },
];

export function SettingsScreen() {
  const { section } = useParams({ from: "/shell/settings/$section" });
  const session = useSession();
  const shown = PARTS.filter((part) => part.isShown(session));
  const part = shown.find((one) => one.section === section);
  if (part === undefined) return <NotFound />;
  const Content = part.component;
  return (
    <Page
      title="Settings"
      filters={
        <nav aria-label="Settings" className={classes.parts}>
          {shown.map(({ section: name, label }) => (
            <Link
              key={name}
              to="/settings/$section"
              params={{ section: name }}
              className={classes.part}
              activeProps={{ "data-active": true }}
            >
              {label}
            </Link>
          ))}
        </nav>
      }
    >
      <Suspense fallback={<ListSkeleton rows={4} />}>
        <Content />
      </Suspense>
    </Page>
  );
}
