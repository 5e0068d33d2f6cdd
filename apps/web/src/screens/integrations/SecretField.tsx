// A secret goes in and never comes out: what is stored is said to be there, and typing replaces it.
import { Button, Group, Input, PasswordInput, Text } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useState } from "react";
import { ConfirmButton } from "../../components/ConfirmButton";
import type { Field } from "./channelTypes";

type Props = {
  field: Extract<Field, { kind: "secret" }>;
  value: string;
  onChange: (value: string) => void;
  error: React.ReactNode;
  isStored: boolean;
  onRegenerate: ((field: string) => Promise<unknown>) | undefined;
};

export function SecretField({ field, value, onChange, error, isStored, onRegenerate }: Props) {
  const [isReplacing, setReplacing] = useState(false);
  const keep = () => {
    onChange("");
    setReplacing(false);
  };
  if (isStored && !isReplacing && !error)
    return (
      <Input.Wrapper label={field.label} description={field.help} labelElement="div">
        <Group gap="sm" mt="xs">
          <IconLock size={16} aria-hidden />
          <Text size="sm">Set, stored encrypted</Text>
          <Button
            variant="default"
            onClick={() => setReplacing(true)}
            aria-label={`Replace ${field.label.toLowerCase()}`}
          >
            Replace
          </Button>
          {field.generated && onRegenerate && (
            <ConfirmButton
              danger={false}
              title={`Make a new ${field.label.toLowerCase()}?`}
              message="The server makes another one and uses it at once; the old one opens nothing any more."
              confirm="Make a new one"
              onConfirm={() => onRegenerate(field.name)}
            >
              Make a new one
            </ConfirmButton>
          )}
        </Group>
      </Input.Wrapper>
    );
  return (
    <Group align="flex-end" gap="sm">
      <PasswordInput
        label={isStored ? `New ${field.label.toLowerCase()}` : field.label}
        description={field.help}
        placeholder={field.placeholder}
        flex="1 1 240px"
        // Not a login: password managers should neither fill nor keep it.
        autoComplete="off"
        data-1p-ignore
        spellCheck={false}
        error={error}
        required={field.required && !isStored}
        visibilityToggleButtonProps={{ "aria-label": `Show what is typed as ${field.label.toLowerCase()}` }}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      {isStored && (
        <Button variant="default" onClick={keep}>
          Keep the old one
        </Button>
      )}
    </Group>
  );
}
