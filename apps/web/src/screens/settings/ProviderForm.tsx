// Adds a provider or changes one. The key goes in and never comes out: an empty field keeps the stored one. After
// saving it is tested at once, because a typo in a key is best found now.
import { Button, Group, Modal, PasswordInput, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { $api, toProblem } from "../../api/client";
import type { ProviderView } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { ProviderTest } from "./ProviderRow";
import { addressProblem, KINDS, nameProblem, type ProviderValues } from "./providerForm";
import { useAfterwards } from "./useAfterwards";

export function ProviderForm({ provider, onClose }: { provider: ProviderView | null; onClose: () => void }) {
  const [saved, setSaved] = useState<ProviderView | null>(null);
  const [error, setError] = useState<unknown>(null);
  const afterwards = useAfterwards("/api/v1/providers", "/api/v1/models");
  const create = $api.useMutation("post", "/api/v1/providers");
  const update = $api.useMutation("patch", "/api/v1/providers/{id}");
  const form = useForm<ProviderValues>({
    initialValues: {
      kind: provider?.kind === "openai" ? "openai" : "anthropic",
      name: provider?.name ?? "",
      base_url: provider?.base_url ?? "",
      api_key: "",
    },
    validate: { name: nameProblem, base_url: addressProblem },
  });
  const kind = KINDS[form.values.kind];

  const save = form.onSubmit(async (values) => {
    setError(null);
    const key = values.api_key === "" ? {} : { api_key: values.api_key };
    const address = values.base_url.trim();
    try {
      const result =
        provider?.id != null
          ? await update.mutateAsync({
              params: { path: { id: provider.id } },
              body: { name: values.name.trim(), base_url: address === "" ? null : address, ...key },
            })
          : await create.mutateAsync({
              body: {
                kind: values.kind,
                name: values.name.trim(),
                ...(address === "" ? {} : { base_url: address }),
                ...key,
              },
            });
      setSaved(result);
      await afterwards(`The provider ${result.name} is saved.`);
    } catch (refusal) {
      form.setErrors(toProblem(refusal).fieldErrors());
      setError(refusal);
    }
  });

  const title = provider === null ? "Add a provider" : `Edit ${provider.name}`;
  if (saved?.id)
    return (
      <Modal opened onClose={onClose} title={`${saved.name} is saved`} closeButtonProps={{ "aria-label": "Close" }}>
        <Stack>
          <Text size="sm">
            Test whether it answers with this key and address. Its models are called{" "}
            <span className="mono">{saved.name}/…</span>
          </Text>
          <ProviderTest name={saved.name} />
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      </Modal>
    );
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={save}>
        <Stack>
          {provider === null && (
            <SegmentedControl
              aria-label="Kind of provider"
              data={(["anthropic", "openai"] as const).map((value) => ({ value, label: KINDS[value].label }))}
              {...form.getInputProps("kind")}
            />
          )}
          <Text size="sm" c="dimmed">
            {kind.help}
          </Text>
          <TextInput
            label="Name"
            description="The first part of its models' names, as in name/model."
            data-autofocus
            {...form.getInputProps("name")}
          />
          <TextInput
            label="Address"
            description={`Leave empty for ${kind.address}.`}
            placeholder={kind.address ?? ""}
            {...form.getInputProps("base_url")}
          />
          <PasswordInput
            label="Key"
            description={
              provider?.has_key
                ? "A key is stored. Leave this empty to keep it; it cannot be shown."
                : "Stored encrypted. It is never shown again."
            }
            autoComplete="off"
            visibilityToggleButtonProps={{ "aria-label": "Show what is typed" }}
            {...form.getInputProps("api_key")}
          />
          {error !== null && <ErrorState title="The provider could not be saved" error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={form.submitting}>
              Save provider
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
