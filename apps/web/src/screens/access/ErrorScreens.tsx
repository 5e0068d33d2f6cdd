// What a person sees when a screen breaks, and when an address leads nowhere.
import { Anchor, Stack } from "@mantine/core";
import { IconMapOff } from "@tabler/icons-react";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { toProblem } from "../../api/client";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink } from "../../components/Links";

/** A broken screen does not take the shell down with it. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (toProblem(error).status === 404) return <NotFound />;
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Stack p="xl" maw={720} mx="auto">
      <ErrorState error={error} retry={retry} />
      {/* A whole load, because the state in memory may be what is broken. */}
      <Anchor href="/">Reload from the home page</Anchor>
    </Stack>
  );
}

export function NotFound() {
  return (
    <Stack p="xl" maw={720} mx="auto">
      <h1 className="visually-hidden">Not found</h1>
      <EmptyState icon={IconMapOff} title="There is nothing here" action={<ButtonLink to="/">Go to home</ButtonLink>}>
        The address is wrong, what it named was deleted, or you may not see it. Ask an admin if you expected something
        here.
      </EmptyState>
    </Stack>
  );
}

/** An address outside the shell. */
export function LostScreen() {
  return (
    <main>
      <NotFound />
    </main>
  );
}
