// Which model an agent thinks with: the server's default, one the server knows a price for, or any other name of
// a provider that is set up.
import { Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { $api } from "../../api/client";
import { Money } from "../../components/Money";
import { tokens } from "../../lib/format";

type Props = {
  value: string | null;
  onChange: (model: string | null) => void;
  error?: React.ReactNode;
};

/** Not names of models: those have a slash. */
const DEFAULT = "default";
const OTHER = "other";

export function ModelPicker({ value, onChange, error }: Props) {
  const models = $api.useQuery("get", "/api/v1/models");
  const known = models.data?.items ?? [];
  const [isOther, setOther] = useState(false);
  const isUnlisted = value !== null && models.isSuccess && !known.some((model) => model.model === value);
  const typesIt = isOther || isUnlisted;
  const chosen = known.find((model) => model.model === (value ?? models.data?.default_model));
  const providers = [...new Set(known.map((model) => model.provider))];
  return (
    <Stack gap="sm">
      <Select
        label="Model"
        searchable
        allowDeselect={false}
        disabled={models.isPending}
        nothingFoundMessage="No such model; choose “Another model” to write its name"
        value={typesIt ? OTHER : (value ?? DEFAULT)}
        error={typesIt ? undefined : error}
        data={[
          { value: DEFAULT, label: models.data ? `Server default (${models.data.default_model})` : "Server default" },
          ...providers.map((provider) => ({
            group: provider,
            items: known
              .filter((model) => model.provider === provider)
              .map((model) => ({ value: model.model, label: model.model })),
          })),
          { value: OTHER, label: "Another model…" },
        ]}
        onChange={(picked) => {
          setOther(picked === OTHER);
          // Nothing typed yet is no model, and not the default either.
          if (picked === OTHER) onChange("");
          else onChange(picked === DEFAULT ? null : picked);
        }}
      />
      {typesIt && (
        <TextInput
          label="Name of the model"
          description="provider/model, with a provider of Settings → Models"
          placeholder="openai/gpt-5.2"
          autoCapitalize="off"
          spellCheck={false}
          error={error}
          value={value ?? ""}
          onChange={(event) => onChange(event.currentTarget.value.trim())}
        />
      )}
      {chosen && !typesIt && (
        <Text size="xs" c="dimmed">
          {tokens(chosen.context_tokens)} tokens of context. <Money micros={chosen.input_micros_per_million} /> in and{" "}
          <Money micros={chosen.output_micros_per_million} /> out per million tokens
          {chosen.priced
            ? "."
            : ": its own price is not known, so it is counted as dearly as the dearest common model."}
        </Text>
      )}
    </Stack>
  );
}
