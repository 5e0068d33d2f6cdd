// The rail of a phone: the places one needs most under the thumb, the others in a drawer.
import { Drawer, Stack, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2, IconSearch } from "@tabler/icons-react";
import { Link, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import type { SessionView } from "../api/types";
import { LiveDot } from "./LiveDot";
import classes from "./PhoneBar.module.css";
import type { Place } from "./places";
import { WaitingCount } from "./Rail";
import { UserMenu } from "./UserMenu";
import { useWaiting } from "./useWaiting";

export type PhoneBarProps = { places: readonly Place[]; session: SessionView; openPalette: () => void };

export function PhoneBar({ places, session, openPalette }: PhoneBarProps) {
  const [opened, drawer] = useDisclosure(false);
  const waiting = useWaiting();
  const { pathname } = useLocation();
  const { close } = drawer;
  // Whoever went somewhere wants to see it.
  useEffect(() => {
    if (pathname !== "") close();
  }, [pathname, close]);
  const search = () => {
    drawer.close();
    openPalette();
  };
  return (
    <nav aria-label="Main, for small windows" className={classes.bar}>
      {places
        .filter((place) => place.inBar)
        .map(({ to, label, icon: Shown }) => (
          <Link
            key={to}
            to={to}
            className={classes.item}
            activeProps={{ "aria-current": "page" }}
            activeOptions={{ exact: to === "/", includeSearch: false }}
          >
            <Shown size={20} stroke={1.75} aria-hidden />
            {label}
            {to === "/approvals" && waiting > 0 && (
              <span className={classes.count}>
                <WaitingCount count={waiting} />
              </span>
            )}
          </Link>
        ))}
      <UnstyledButton className={classes.item} onClick={drawer.open} aria-haspopup="dialog">
        <IconMenu2 size={20} stroke={1.75} aria-hidden />
        More
      </UnstyledButton>
      <Drawer
        opened={opened}
        onClose={drawer.close}
        position="bottom"
        size="auto"
        title={<LiveDot />}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Stack gap="xs">
          <UnstyledButton className={classes.row} onClick={search}>
            <IconSearch size={20} stroke={1.75} aria-hidden />
            Go to…
          </UnstyledButton>
          {places
            .filter((place) => !place.inBar)
            .map(({ to, label, icon: Shown }) => (
              <Link key={to} to={to} className={classes.row} onClick={drawer.close}>
                <Shown size={20} stroke={1.75} aria-hidden />
                {label}
              </Link>
            ))}
          <UserMenu session={session} />
        </Stack>
      </Drawer>
    </nav>
  );
}
