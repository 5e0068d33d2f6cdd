// The filters of a list. What is chosen lives in the URL, so that it can be sent to somebody and survives a reload.
import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
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
  const chosen = filters.filter((filter) => values[filter.name] !== undefined);
  const set = (name: string, value: string | null) => {
    const next: Record<string, string> = {};
    for (const filter of filters) {
      const kept = filter.name === name ? value?.trim() : values[filter.name];
      if (kept !== undefined && kept !== "") next[filter.name] = kept;
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
      {chosen.length > 0 && (
        <Button variant="subtle" color="gray" onClick={() => onChange({})}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

type TextFilterProps = {
  filter: Extract<Filter, { kind: "text" }>;
  value: string;
  onChange: (name: string, value: string) => void;
};

function TextFilter({ filter, value, onChange }: TextFilterProps) {
  const [typed, setTyped] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const send = useDebouncedCallback((text: string) => onChange(filter.name, text), 250);
  useHotkeys([["/", () => input.current?.focus()]]);
  // Another page of the history, or "clear filters".
  useEffect(() => setTyped(value), [value]);
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
