// One provider: what it is, whether it answers, and a test that asks it something at once.
import { Button, Group, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import type { ProviderView } from "../../api/types";
import { ConfirmButton } from "../../components/ConfirmButton";
import { ErrorState } from "../../components/ErrorState";
import { StatusBadge } from "../../components/StatusBadge";
import { duration } from "../../lib/format";
import { KINDS } from "./providerForm";
import { Row } from "./Section";
import { useAfterwards } from "./useAfterwards";

export function ProviderRow({ provider, onEdit }: { provider: ProviderView; onEdit: () => void }) {
  const afterwards = useAfterwards("/api/v1/providers", "/api/v1/models");
  const mayChange = useMay("settings", "administer") && provider.source === "settings";
  const remove = $api.useMutation("delete", "/api/v1/providers/{id}");
  const { id } = provider;
  const facts = [
    KINDS[provider.kind].label,
    provider.base_url ?? KINDS[provider.kind].address,
    provider.has_key ? "key stored" : "no key",
    ...(provider.source === "environment" ? ["set in the environment, read-only here"] : []),
  ];
  return (
    <Row
      title={<span className="mono">{provider.name}</span>}
      badges={<StatusBadge kind="health" status={provider.health} />}
      facts={facts.filter(Boolean).join(" · ")}
      actions={
        mayChange &&
        id !== null && (
          <>
            <Button variant="default" onClick={onEdit} aria-label={`Edit ${provider.name}`}>
              Edit
            </Button>
            <ConfirmButton
              title={`Delete the provider ${provider.name}?`}
              message="Agents whose model begins with this name cannot work until they get another one. Its key is deleted too."
              confirm="Delete provider"
              onConfirm={async () => {
                await remove.mutateAsync({ params: { path: { id } } });
                await afterwards(`The provider ${provider.name} is deleted.`);
              }}
            >
              Delete
            </ConfirmButton>
          </>
        )
      }
    >
      {provider.health_detail && (
        <Text size="sm" mt={4}>
          {provider.health_detail}
        </Text>
      )}
      <ProviderTest name={provider.name} />
    </Row>
  );
}

export function ProviderTest({ name }: { name: string }) {
  const afterwards = useAfterwards("/api/v1/providers");
  const test = $api.useMutation("post", "/api/v1/models/test");
  const [typed, setTyped] = useState("");
  const models = $api.useQuery("get", "/api/v1/models");
  const known = models.data?.items.find(({ provider }) => provider === name)?.model;
  // Of a provider with a name of its own the server knows no model that it could ask.
  const mustName = models.isSuccess && known === undefined;
  const model = known ?? (typed.trim() === "" ? null : `${name}/${typed.trim()}`);
  const run = async () => {
    if (model === null) return;
    const { ok } = await test.mutateAsync({ body: { model } });
    await afterwards(ok ? `${name} answers.` : `${name} does not answer.`);
  };
  return (
    <div aria-live="polite">
      <Group mt="sm" gap="sm">
        {mustName && (
          <TextInput
            size="xs"
            aria-label={`Model of ${name} to ask`}
            placeholder="A model to ask"
            autoCapitalize="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <Button
          variant="default"
          loading={test.isPending}
          disabled={model === null}
          onClick={() => void run().catch(() => undefined)}
          aria-label={`Test ${name}`}
        >
          Test
        </Button>
      </Group>
      {test.isError && <ErrorState title={`${name} could not be tested`} error={test.error} />}
      {test.data && (
        <Text component="span" size="sm" ml="sm">
          <StatusBadge kind="health" status={test.data.ok ? "ok" : "failed"} /> {test.data.detail} (
          {duration(test.data.duration_ms)})
        </Text>
      )}
    </div>
  );
}
