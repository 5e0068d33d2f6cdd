// Whether a connection works, tried now, and the one thing to do next. When it works that thing is to say hello,
// and the panel then shows the message as it comes in.
import { Alert, Button, Group, List, Stack, Text } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconExternalLink,
  IconPlugConnected,
} from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink, TextLink } from "../../components/Links";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { channelOf } from "./channelTypes";
import { type NextStep, nextStep, testSummary } from "./nextStep";
import type { IntegrationView } from "./types";

type Props = {
  integration: IntegrationView;
  /** Try it as soon as the panel is there, as the last step of a set-up does. */
  atOnce?: boolean;
  onEnable: () => void;
};

const TONES = {
  done: { icon: IconCircleCheck, color: "green" },
  waiting: { icon: IconAlertTriangle, color: "yellow" },
  failed: { icon: IconCircleX, color: "red" },
  idle: { icon: IconCircleDashed, color: "gray" },
} as const;

export function ConnectionTest({ integration, atOnce = false, onEnable }: Props) {
  const mayTest = useMay("integrations", "operate");
  const cache = useQueryClient();
  const channel = channelOf(integration.type);
  const test = $api.useMutation("post", "/api/v1/integrations/{id}/test", {
    onSettled: () =>
      cache.invalidateQueries({
        predicate: ({ queryKey }) =>
          String(queryKey[1]).startsWith("/api/v1/integrations") || queryKey[1] === "/api/v1/overview",
      }),
  });
  const run = () => test.mutate({ params: { path: { id: integration.id } } });
  const wasRun = useRef(false);
  useEffect(() => {
    if (!atOnce || wasRun.current) return;
    wasRun.current = true;
    run();
  });
  // What a test said before the settings were changed is about other settings.
  const testedAt = useRef(integration.updated_at);
  const { reset } = test;
  useEffect(() => {
    if (testedAt.current !== integration.updated_at) reset();
    testedAt.current = integration.updated_at;
  }, [integration.updated_at, reset]);
  const seen = test.data ?? { health: integration.health, detail: integration.health_detail };
  const next = nextStep(seen, integration.enabled, integration.agent_ids?.length ?? null);
  const { icon: ToneIcon, color } = TONES[next.tone];
  return (
    <Stack gap="md">
      <Alert
        variant="outline"
        color={color}
        icon={<ToneIcon aria-hidden />}
        title={next.title}
        aria-live="polite"
        role="status"
      >
        <Stack gap="sm">
          {test.data && <Text size="sm">{testSummary(channel, test.data)}</Text>}
          {next.notes.length > 0 && (
            <List size="sm" spacing="xs">
              {next.notes.map((note) => (
                <List.Item key={note}>{note}</List.Item>
              ))}
            </List>
          )}
          <Advice next={next} integration={integration} account={test.data?.account ?? null} onEnable={onEnable} />
        </Stack>
      </Alert>
      {test.isError && <ErrorState error={test.error} title="The connection could not be tried" />}
      {mayTest && !channel.builtIn && (
        <Group>
          <Button
            variant="default"
            loading={test.isPending}
            leftSection={<IconPlugConnected size={16} aria-hidden />}
            onClick={run}
          >
            {test.data ? "Test again" : "Test the connection"}
          </Button>
        </Group>
      )}
      {next.action === "hello" && <LastMessage integration={integration} />}
    </Stack>
  );
}

type AdviceProps = { next: NextStep; integration: IntegrationView; account: string | null; onEnable: () => void };

function Advice({ next, integration, account, onEnable }: AdviceProps) {
  const mayChange = useMay("integrations", "administer");
  switch (next.action) {
    case "hello": {
      const hello = channelOf(integration.type).hello(account);
      return (
        <Stack gap="sm">
          <Text size="sm" fw={600}>
            {hello.text}
          </Text>
          {(hello.place ?? hello.href) && (
            <Group>
              {hello.place ? (
                <ButtonLink to={hello.place}>Say hello</ButtonLink>
              ) : (
                <Button
                  component="a"
                  href={hello.href ?? undefined}
                  target="_blank"
                  rel="noreferrer"
                  rightSection={<IconExternalLink size={14} aria-hidden />}
                >
                  Say hello
                </Button>
              )}
            </Group>
          )}
        </Stack>
      );
    }
    case "enable":
      return mayChange ? (
        <Group>
          <Button onClick={onEnable}>Switch it on</Button>
        </Group>
      ) : null;
    case "agents":
      return (
        <Group>
          <ButtonLink to="/integrations/$id" params={{ id: integration.id }} hash="agents" variant="default">
            Choose agents
          </ButtonLink>
        </Group>
      );
    case "edit":
      return (
        <Text size="sm">
          Correct its{" "}
          <TextLink to="/integrations/$id" params={{ id: integration.id }} hash="settings" underline="always">
            settings
          </TextLink>{" "}
          and test again.
        </Text>
      );
    case "test":
      return null;
  }
}

/** The newest thing that came in, so that a first hello is seen to arrive. */
function LastMessage({ integration }: { integration: IntegrationView }) {
  const query = { integration_id: integration.id, limit: 1 };
  const items = $api.useQuery("get", "/api/v1/work-items", { params: { query } });
  const item = items.data?.items[0];
  if (item === undefined)
    return items.isSuccess ? (
      <Text size="sm" c="dimmed">
        No message has come in yet. The first one will show up here.
      </Text>
    ) : null;
  return (
    <Group gap="sm" role="status">
      <StatusBadge kind="item" status={item.status} />
      <Text size="sm" lineClamp={1} maw={320}>
        {item.message.sender.display_name}: {item.message.text}
      </Text>
      <Text size="xs" c="dimmed">
        <RelativeTime at={item.created_at} />
      </Text>
      <TextLink to="/work-items/$id" params={{ id: item.id }} size="sm">
        Open
      </TextLink>
    </Group>
  );
}
