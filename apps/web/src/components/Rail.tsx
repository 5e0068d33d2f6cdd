// The left rail: where one can go, whether it is live, and who is logged in.
import { Kbd, UnstyledButton } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { SessionView } from "../api/types";
import { COMMAND_KEY } from "../lib/keys";
import { LiveDot } from "./LiveDot";
import type { Place } from "./places";
import classes from "./Rail.module.css";
import { UserMenu } from "./UserMenu";
import { useWaiting } from "./useWaiting";

export type RailProps = {
  places: readonly Place[];
  session: SessionView;
  openPalette: () => void;
  openSheet: () => void;
};

export function Rail({ places, session, openPalette, openSheet }: RailProps) {
  const waiting = useWaiting();
  return (
    <aside aria-label="Navigation" className={classes.rail}>
      <div className={classes.top}>
        <Link to="/" className={classes.brand}>
          <img src="/favicon.svg" alt="" width={20} height={20} />
          Nitejar
        </Link>
        <LiveDot />
      </div>
      <UnstyledButton className={classes.search} onClick={openPalette}>
        <IconSearch size={14} aria-hidden />
        <span className={classes.searchLabel}>Go to…</span>
        <Kbd size="xs">{COMMAND_KEY}</Kbd>
      </UnstyledButton>
      <nav aria-label="Main" className={classes.nav}>
        {places.map(({ to, label, icon: Shown }) => (
          <Link
            key={to}
            to={to}
            className={classes.link}
            activeProps={{ "aria-current": "page" }}
            activeOptions={{ exact: to === "/", includeSearch: false }}
          >
            <Shown size={16} stroke={1.75} aria-hidden />
            {label}
            {to === "/approvals" && waiting > 0 && <WaitingCount count={waiting} />}
          </Link>
        ))}
      </nav>
      <UserMenu session={session} openSheet={openSheet} />
    </aside>
  );
}

/** How many approvals wait for a decision. */
export function WaitingCount({ count }: { count: number }) {
  return (
    <span className={classes.count}>
      {count}
      <span className="visually-hidden"> waiting</span>
    </span>
  );
}
