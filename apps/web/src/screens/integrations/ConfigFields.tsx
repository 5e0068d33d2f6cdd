// The settings of a channel as form fields, drawn from its descriptor.
import { Anchor, Radio, Stack, Switch, TagsInput, Text, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useState } from "react";
import type { ChannelDescriptor, Field } from "./channelTypes";
import type { ConfigValue, ConfigValues } from "./configForm";
import { SecretField } from "./SecretField";

export type WithConfig = { config: ConfigValues };

type Props<Values extends WithConfig> = {
  channel: ChannelDescriptor;
  /** Which fields; all when absent. */
  names?: readonly string[];
  form: UseFormReturnType<Values>;
  /** Which secrets are stored already. */
  stored?: Readonly<Record<string, boolean>>;
  /** Has a secret that the server makes made anew; absent where that makes no sense. */
  onRegenerate?: (field: string) => Promise<unknown>;
};

export function ConfigFields<Values extends WithConfig>(props: Props<Values>) {
  const { channel, names, form } = props;
  const shown = channel.fields.filter((field) => names === undefined || names.includes(field.name));
  const plain = shown.filter((field) => !field.advanced);
  const advanced = shown.filter((field) => field.advanced);
  const hasAdvancedError = advanced.some((field) => form.errors[`config.${field.name}`] !== undefined);
  const [isOpen, setOpen] = useState(false);
  const draw = (field: Field) => (
    <ConfigField
      key={field.name}
      field={field}
      value={form.values.config[field.name] ?? ""}
      onChange={(value) => {
        form.clearFieldError(`config.${field.name}`);
        form.setValues({ config: { ...form.values.config, [field.name]: value } } as Partial<Values>);
      }}
      error={form.errors[`config.${field.name}`]}
      isStored={props.stored?.[field.name] ?? false}
      onRegenerate={props.onRegenerate}
    />
  );
  return (
    <Stack gap="lg">
      {plain.map(draw)}
      {advanced.length > 0 && !isOpen && !hasAdvancedError && (
        <Anchor component="button" type="button" size="sm" onClick={() => setOpen(true)} w="fit-content">
          More settings
        </Anchor>
      )}
      {(isOpen || hasAdvancedError) && advanced.map(draw)}
    </Stack>
  );
}

type FieldProps = {
  field: Field;
  value: ConfigValue;
  onChange: (value: ConfigValue) => void;
  error: React.ReactNode;
  isStored: boolean;
  onRegenerate: ((field: string) => Promise<unknown>) | undefined;
};

function ConfigField({ field, value, onChange, error, isStored, onRegenerate }: FieldProps) {
  switch (field.kind) {
    case "secret":
      return (
        <SecretField
          field={field}
          value={String(value ?? "")}
          onChange={onChange}
          error={error}
          isStored={isStored}
          onRegenerate={onRegenerate}
        />
      );
    case "text":
      return (
        <TextInput
          label={field.label}
          description={field.help}
          placeholder={field.fallback}
          spellCheck={false}
          autoCapitalize="off"
          error={error}
          value={String(value ?? "")}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case "switch":
      return (
        <Switch
          label={field.label}
          description={field.help}
          error={error}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "choice":
      return (
        <Radio.Group
          label={field.label}
          description={field.help}
          error={error}
          value={String(value)}
          onChange={onChange}
        >
          <Stack gap="sm" mt="xs">
            {field.options.map((option) => (
              <Radio key={option.value} {...option} description={option.help} />
            ))}
          </Stack>
        </Radio.Group>
      );
    case "list":
      return <ListField field={field} value={Array.isArray(value) ? value : null} {...{ onChange, error }} />;
  }
}

type ListProps = {
  field: Extract<Field, { kind: "list" }>;
  value: string[] | null;
  onChange: (value: string[] | null) => void;
  error: React.ReactNode;
};

function ListField({ field, value, onChange, error }: ListProps) {
  return (
    <Radio.Group
      label={field.label}
      value={value === null ? "everything" : "these"}
      onChange={(choice) => onChange(choice === "everything" ? null : [])}
    >
      <Stack gap="sm" mt="xs">
        <Radio value="everything" label={field.everything} />
        <Radio value="these" label={field.these} />
        {value !== null && (
          <TagsInput
            aria-label={field.label}
            description={field.help}
            placeholder={value.length === 0 ? field.placeholder : undefined}
            error={error}
            value={value}
            onChange={(typed) => onChange(typed.flatMap((text) => text.split(/[\s,;]+/)).filter((text) => text !== ""))}
            splitChars={[",", " "]}
            acceptValueOnBlur
          />
        )}
        {value?.length === 0 && (
          <Text size="xs" c="dimmed">
            {field.none}
          </Text>
        )}
      </Stack>
    </Radio.Group>
  );
}
