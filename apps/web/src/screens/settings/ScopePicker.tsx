// How much a token may do, area by area.
import { Input, NativeSelect, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Right } from "../../api/types";
import classes from "./ScopePicker.module.css";
import { AREAS, offered, type Rights } from "./scopes";

const WORDS: Record<Right, string> = { read: "Read", operate: "Operate", administer: "Administer" };

type ScopePickerProps = {
  /** The most the token's role carries. */
  most: Rights;
  value: Rights;
  onChange: (value: Rights) => void;
  error?: ReactNode;
};

export function ScopePicker({ most, value, onChange, error }: ScopePickerProps) {
  return (
    <Input.Wrapper label="What it may do" error={error} labelElement="div">
      <Stack gap={4} mt={4}>
        {AREAS.filter(({ area }) => offered(most[area]).length > 0).map(({ area, label, help }) => (
          <div key={area} className={classes.area}>
            <Text component="label" size="sm" htmlFor={`scope-${area}`}>
              {label}{" "}
              <Text component="span" size="xs" c="dimmed">
                {help}
              </Text>
            </Text>
            <NativeSelect
              id={`scope-${area}`}
              size="xs"
              w={130}
              className={classes.choice}
              value={value[area] ?? ""}
              data={[
                { value: "", label: "Nothing" },
                ...offered(most[area]).map((right) => ({ value: right, label: WORDS[right] })),
              ]}
              onChange={(event) => {
                const right = offered(most[area]).find((one) => one === event.currentTarget.value) ?? null;
                onChange({ ...value, [area]: right });
              }}
            />
          </div>
        ))}
      </Stack>
    </Input.Wrapper>
  );
}
