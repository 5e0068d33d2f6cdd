// The settings of an integration as form values, and back. Secrets go one way: a form begins empty, an empty one
// is not sent, and removing one is said on purpose. Only what differs is sent when settings are changed.
import type { ChannelDescriptor, Field } from "./channelTypes";

/** null: everything is allowed. */
type ListValue = string[] | null;
export type ConfigValue = string | boolean | ListValue;
export type ConfigValues = Record<string, ConfigValue>;
type Config = Record<string, unknown>;

export function emptyValues(channel: ChannelDescriptor): ConfigValues {
  return valuesOf(channel, {});
}

export function valuesOf(channel: ChannelDescriptor, config: Config): ConfigValues {
  return Object.fromEntries(channel.fields.map((field) => [field.name, fieldValue(field, config[field.name])]));
}

function fieldValue(field: Field, stored: unknown): ConfigValue {
  switch (field.kind) {
    case "secret":
      return "";
    case "switch":
      return typeof stored === "boolean" ? stored : field.fallback;
    case "list":
      return Array.isArray(stored) ? stored.map(String) : null;
    case "text":
    case "choice":
      return typeof stored === "string" ? stored : field.fallback;
  }
}

/** Everything a new integration needs; what has a default and was left alone is left out. */
export function newConfig(channel: ChannelDescriptor, values: ConfigValues): Config {
  const config: Config = {};
  for (const field of channel.fields) {
    const value = sent(field, values[field.name]);
    const isDefault = JSON.stringify(value) === JSON.stringify(sent(field, fieldValue(field, undefined)));
    if (value !== undefined && !isDefault) config[field.name] = value;
  }
  return config;
}

/** What differs from the stored settings; secrets when one was typed. */
export function configPatch(channel: ChannelDescriptor, stored: Config, values: ConfigValues): Config {
  const patch: Config = {};
  for (const field of channel.fields) {
    const value = sent(field, values[field.name]);
    if (field.kind === "secret") {
      if (value !== undefined) patch[field.name] = value;
      continue;
    }
    const before = sent(field, fieldValue(field, stored[field.name]));
    if (JSON.stringify(value) !== JSON.stringify(before)) patch[field.name] = value;
  }
  return patch;
}

/** A value as the API takes it; undefined: say nothing of it. */
function sent(field: Field, value: ConfigValue | undefined): unknown {
  switch (field.kind) {
    case "secret":
      return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
    case "text":
      // An empty address is the default again, which the API says with null.
      return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
    case "list":
      return Array.isArray(value) ? value.map(entry).filter((item) => item !== "") : null;
    case "switch":
    case "choice":
      return value;
  }
}

/** Ids travel as numbers where JavaScript can hold them exactly, as text otherwise. */
function entry(text: string): string | number {
  const trimmed = text.trim();
  if (!/^-?\d+$/.test(trimmed)) return trimmed;
  const number = Number(trimmed);
  return Number.isSafeInteger(number) ? number : trimmed;
}

export function configProblems(
  channel: ChannelDescriptor,
  values: ConfigValues,
  set: Readonly<Record<string, boolean>>,
): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const field of channel.fields) {
    const value = values[field.name];
    if (field.kind === "secret" && field.required && !set[field.name] && value === "")
      problems[field.name] = `${field.label} is needed.`;
    if (field.kind === "secret" && typeof value === "string" && /\s/.test(value.trim()))
      problems[field.name] = "There is a space or a line break in it; copy it again.";
    if (field.kind === "list" && Array.isArray(value)) {
      const odd = value.map((text) => text.trim()).find((text) => !/^(-?\d+|@\w+)$/.test(text));
      if (odd !== undefined) problems[field.name] = `“${odd}” is neither an id nor an @name.`;
    }
  }
  return problems;
}

/** The set-up step a refused field belongs to, or null when no step shows it. */
export function stepOfField(channel: ChannelDescriptor, field: string): number | null {
  const place = channel.steps.findIndex((step) => step.fields.includes(field));
  return place < 0 ? null : place;
}

/** The settings in words, for those who may only read them; of a secret, whether it is set. */
export function configFacts(
  channel: ChannelDescriptor,
  integration: { config: Config; secrets: Readonly<Record<string, boolean>> },
): { label: string; value: string }[] {
  return channel.fields.map((field) => ({ label: field.label, value: factOf(field, integration) }));
}

function factOf(
  field: Field,
  { config, secrets }: { config: Config; secrets: Readonly<Record<string, boolean>> },
): string {
  const value = fieldValue(field, config[field.name]);
  switch (field.kind) {
    case "secret":
      return secrets[field.name] ? "Set" : "Not set";
    case "switch":
      return value === true ? "Yes" : "No";
    case "list":
      if (!Array.isArray(value)) return field.everything;
      return value.length === 0 ? field.none : value.join(", ");
    case "choice":
      return field.options.find((option) => option.value === value)?.label ?? String(value);
    case "text":
      return String(value);
  }
}
