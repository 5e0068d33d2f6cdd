// The places of the left rail, in their order, with the right without which they are hidden.
import {
  type Icon,
  IconCoins,
  IconHistory,
  IconHome,
  IconInbox,
  IconMessage,
  IconPlugConnected,
  IconRobot,
  IconSend,
  IconSettings,
  IconThumbUp,
} from "@tabler/icons-react";
import { may } from "../api/session";
import type { Area, SessionView } from "../api/types";

export type Place = {
  to:
    | "/"
    | "/inbox"
    | "/agents"
    | "/chat"
    | "/integrations"
    | "/effects"
    | "/approvals"
    | "/costs"
    | "/audit"
    | "/settings";
  label: string;
  icon: Icon;
  /** Reading this must be allowed; null: everybody with a login. */
  area: Area | null;
  /** Stands in the bar of a phone; the others are behind "More". */
  inBar: boolean;
};

const PLACES: readonly Place[] = [
  { to: "/", label: "Home", icon: IconHome, area: null, inBar: true },
  { to: "/inbox", label: "Inbox", icon: IconInbox, area: "work", inBar: true },
  { to: "/agents", label: "Agents", icon: IconRobot, area: "agents", inBar: false },
  { to: "/chat", label: "Chat", icon: IconMessage, area: "work", inBar: true },
  { to: "/integrations", label: "Integrations", icon: IconPlugConnected, area: "integrations", inBar: false },
  { to: "/effects", label: "Effects", icon: IconSend, area: "effects", inBar: false },
  { to: "/approvals", label: "Approvals", icon: IconThumbUp, area: "approvals", inBar: true },
  { to: "/costs", label: "Costs", icon: IconCoins, area: "costs", inBar: false },
  { to: "/audit", label: "Audit", icon: IconHistory, area: "audit", inBar: false },
  { to: "/settings", label: "Settings", icon: IconSettings, area: null, inBar: false },
];

/** The places this person may enter. */
export function placesFor(session: SessionView): Place[] {
  return PLACES.filter((place) => place.area === null || may(session, place.area, "read"));
}
