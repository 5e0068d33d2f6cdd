// One integration: whether it works, its settings, who sees it, and the way to remove it.
import { Stack, Switch, Text, Title } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ConfirmButton } from "../../components/ConfirmButton";
import { CopyId } from "../../components/CopyId";
import { ErrorState } from "../../components/ErrorState";
import { KeyValue } from "../../components/KeyValue";
import { TextLink } from "../../components/Links";
import { notifyDone } from "../../components/notify";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { PageSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";
import { ConnectionTest } from "./ConnectionTest";
import { channelOf } from "./channelTypes";
import { configFacts } from "./configForm";
import { IntegrationPeople } from "./IntegrationPeople";
import { SettingsForm } from "./SettingsForm";
import type { IntegrationView } from "./types";
import { useIntegration, useSaveIntegration } from "./useIntegration";
import { WebhookAddress } from "./WebhookAddress";

export function IntegrationScreen() {
  const { id } = useParams({ from: "/shell/integrations/$id" });
  const integration = useIntegration(id);
  const back = (
    <TextLink to="/integrations" size="sm">
      Integrations
    </TextLink>
  );
  const { data, error, refetch } = integration;
  const failure = error !== null && (
    <ErrorState error={error} title="This integration could not be loaded" retry={refetch} />
  );
  if (data !== undefined) return <Integration key={data.id} integration={data} back={back} failure={failure} />;
  if (error === null) return <PageSkeleton />;
  return (
    <Page title="Integration" back={back}>
      {failure}
    </Page>
  );
}

type IntegrationProps = { integration: IntegrationView; back: React.ReactNode; failure: React.ReactNode };

function Integration({ integration, back, failure }: IntegrationProps) {
  const channel = channelOf(integration.type);
  const mayChange = useMay("integrations", "administer");
  const { save, problem, isSaving } = useSaveIntegration(integration.id);
  return (
    <Page
      title={integration.name}
      subtitle={channel.summary}
      back={back}
      badge={
        integration.enabled ? (
          <StatusBadge kind="health" status={integration.health} />
        ) : (
          <StatusBadge kind="agent" status="disabled" />
        )
      }
      action={mayChange && !channel.builtIn && <Remove integration={integration} />}
    >
      <Stack gap="xl" maw={680}>
        {failure}
        <Section id="connection" title="Connection">
          <ConnectionTest integration={integration} onEnable={() => void save({ enabled: true })} />
          {mayChange && !channel.builtIn && (
            <Switch
              label="Takes messages"
              description="Switched off, nothing comes in and nothing is sent."
              checked={integration.enabled}
              disabled={isSaving}
              onChange={(event) => void save({ enabled: event.currentTarget.checked })}
            />
          )}
          {problem !== null && <ErrorState error={problem} title="It was not changed" />}
          <KeyValue
            items={[
              { label: "Type", value: channel.label },
              { label: "Id", value: <CopyId id={integration.id} of="integration" /> },
              ...(channel.hasWebhook(integration.config)
                ? [{ label: "Webhook address", value: <WebhookAddress integration={integration} /> }]
                : []),
              { label: "Connected", value: <RelativeTime at={integration.created_at} /> },
              { label: "Changed", value: <RelativeTime at={integration.updated_at} /> },
            ]}
          />
        </Section>
        {!channel.builtIn && (
          <Section id="settings" title="Settings">
            {mayChange ? (
              <SettingsForm integration={integration} channel={channel} />
            ) : (
              <KeyValue items={configFacts(channel, integration)} />
            )}
          </Section>
        )}
        {mayChange && (
          <Section id="people" title="People">
            <IntegrationPeople integration={integration} />
          </Section>
        )}
      </Stack>
    </Page>
  );
}

function Section({ id, title, children }: { id: string; title: string; children: React.ReactNode }) {
  return (
    <Stack gap="md" component="section" id={id}>
      <Title order={2} size="h4">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

function Remove({ integration }: { integration: IntegrationView }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const remove = $api.useMutation("delete", "/api/v1/integrations/{id}");
  return (
    <ConfirmButton
      title={`Delete ${integration.name}?`}
      message={
        <Stack gap="sm">
          <Text size="sm">
            Nothing comes in here any more and replies that wait are not sent. Its settings and secrets are forgotten,
            and {channelOf(integration.type).label} is told to stop calling this server. Conversations and jobs stay
            readable.
          </Text>
          <Text size="sm">To stop it for a while, switch it off instead.</Text>
        </Stack>
      }
      confirm="Delete integration"
      leftSection={<IconTrash size={14} aria-hidden />}
      onConfirm={async () => {
        await remove.mutateAsync({ params: { path: { id: integration.id } } });
        notifyDone(`${integration.name} was deleted.`);
        await navigate({ to: "/integrations" });
        await cache.invalidateQueries({
          predicate: ({ queryKey }) => ["/api/v1/integrations", "/api/v1/overview"].includes(String(queryKey[1])),
        });
      }}
    >
      Delete
    </ConfirmButton>
  );
}
