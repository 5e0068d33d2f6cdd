// Who is logged in, and what they can do about that: look, security, shortcuts, log out.
import { Menu, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import {
  IconDeviceDesktop,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSelector,
  IconShieldLock,
  IconSun,
} from "@tabler/icons-react";
import { Link, useRouter } from "@tanstack/react-router";
import { client } from "../api/client";
import { endSession } from "../api/session";
import type { SessionView } from "../api/types";
import { AgentAvatar } from "./AgentAvatar";
import { notifyProblem } from "./notify";
import classes from "./UserMenu.module.css";

export type UserMenuProps = { session: SessionView; openSheet?: () => void };

const LOOKS = [
  { value: "auto", label: "Look of the system", icon: IconDeviceDesktop },
  { value: "light", label: "Light", icon: IconSun },
  { value: "dark", label: "Dark", icon: IconMoon },
] as const;

export function UserMenu({ session, openSheet }: UserMenuProps) {
  const logOut = useLogOut();
  return (
    <Menu position="top-start" width={232} shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.target}>
          <AgentAvatar name={session.actor.name} />
          <span className={classes.who}>
            <span className={classes.name}>{session.actor.name}</span>
            <Text component="span" size="xs" c="dimmed">
              {session.role}
            </Text>
          </span>
          <IconSelector size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {session.user !== null && <Menu.Label>{session.user.email}</Menu.Label>}
        <LookItems />
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconShieldLock size={16} aria-hidden />}
          renderRoot={(props) => <Link to="/settings/$section" params={{ section: "security" }} {...props} />}
        >
          Profile and security
        </Menu.Item>
        {openSheet !== undefined && (
          <Menu.Item leftSection={<IconKeyboard size={16} aria-hidden />} onClick={openSheet}>
            Keyboard shortcuts
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={logOut}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Light, dark, or as the system is. */
function LookItems() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu.RadioGroup
      value={colorScheme}
      onChange={(value) => setColorScheme(LOOKS.find((look) => look.value === value)?.value ?? "auto")}
    >
      {LOOKS.map(({ value, label, icon: Shown }) => (
        <Menu.RadioItem key={value} value={value} rightSection={<Shown size={16} aria-hidden />}>
          {label}
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}

/** Ends the session at the server first: a page that only looks logged out would be a lie. */
export function useLogOut(): () => Promise<void> {
  const router = useRouter();
  return async () => {
    try {
      await client.DELETE("/api/v1/session");
    } catch (error) {
      notifyProblem("You are still logged in", error);
      return;
    }
    endSession();
    await router.navigate({ to: "/login" });
  };
}
