// The filters of a list. What is chosen lives in the URL, so that it can be sent to somebody and survives a reload.
import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { absoluteTime } from "../lib/format";
import classes from "./FilterBar.module.css";

export type Filter =
  | { kind: "text"; name: string; label: string }
  | { kind: "select"; name: string; label: string; options: readonly { value: string; label: string }[] };

export type FilterBarProps = {
  filters: readonly Filter[];
  /** The search params of the route. */
  values: Readonly<Record<string, string | undefined>>;
  /** All values as they shall be; a filter that is off is missing. */
  onChange: (values: Record<string, string>) => void;
};

export function FilterBar({ filters, values, onChange }: FilterBarProps) {
  const chosen = Object.keys(values).filter((name) => values[name] !== undefined);
  const linked = chosen.filter((name) => !filters.some((filter) => filter.name === name));
  const set = (name: string, value: string | null) => {
    const next: Record<string, string> = {};
    for (const [one, kept] of Object.entries({ ...values, [name]: value?.trim() })) {
      if (kept !== undefined && kept !== "") next[one] = kept;
    }
    onChange(next);
  };
  return (
    <div role="search" className={classes.bar}>
      {filters.map((filter) =>
        filter.kind === "text" ? (
          <TextFilter key={filter.name} filter={filter} value={values[filter.name] ?? ""} onChange={set} />
        ) : (
          <Select
            key={filter.name}
            size="xs"
            className={classes.choice}
            aria-label={filter.label}
            placeholder={filter.label}
            data={[...filter.options]}
            value={values[filter.name] ?? null}
            onChange={(value) => set(filter.name, value)}
            clearable
            searchable={filter.options.length > 8}
            clearButtonProps={{ "aria-label": `Clear ${filter.label}` }}
          />
        ),
      )}
      {linked.map((name) => (
        <Linked key={name} words={wordsOf(name, values[name] ?? "")} remove={() => set(name, null)} />
      ))}
      {chosen.length > 0 && (
        <Button variant="subtle" color="gray" onClick={() => onChange({})}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

/** A filter that came with a link: it narrows the list, so it has to be seen and to go away again. */
function Linked({ words, remove }: { words: string; remove: () => void }) {
  return (
    <Button
      variant="default"
      radius="xl"
      rightSection={<IconX size={14} aria-hidden />}
      aria-label={`${words}: remove this filter`}
      onClick={remove}
    >
      {words}
    </Button>
  );
}

function wordsOf(name: string, value: string): string {
  const words = name.replaceAll("_", " ");
  // An id says nothing to a person, only what it is of.
  if (words.endsWith(" id")) return `One ${words.slice(0, -" id".length)}`;
  const shown = Number.isNaN(Date.parse(value)) ? value : absoluteTime(value);
  if (name === "from") return `From ${shown}`;
  if (name === "to") return `Until ${shown}`;
  return `${words}: ${value}`;
}

type TextFilterProps = {
  filter: Extract<Filter, { kind: "text" }>;
  value: string;
  onChange: (name: string, value: string) => void;
};

function TextFilter({ filter, value, onChange }: TextFilterProps) {
  const [typed, setTyped] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  // What this field made the value last: it comes back when somebody has typed on already.
  const own = useRef(value);
  const send = useDebouncedCallback((text: string) => {
    own.current = text.trim();
    onChange(filter.name, text);
  }, 250);
  useHotkeys([["/", () => input.current?.focus()]]);
  // Another page of the history, or "clear filters".
  useEffect(() => {
    if (value === own.current) return;
    own.current = value;
    send.cancel();
    setTyped(value);
  }, [value, send]);
  return (
    <TextInput
      ref={input}
      size="xs"
      className={classes.text}
      type="search"
      aria-label={filter.label}
      placeholder={`${filter.label}  /`}
      leftSection={<IconSearch size={14} aria-hidden />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        send(event.currentTarget.value);
      }}
    />
  );
}
