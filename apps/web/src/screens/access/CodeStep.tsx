// The second step of a login: six digits from the authenticator, or one of the recovery codes.
import { Anchor, Button, PinInput, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { LoginError } from "./PasswordStep";

export type CodeStepProps = { submit: (code: string) => Promise<unknown>; goBack: () => void };

export function CodeStep({ submit, goBack }: CodeStepProps) {
  const [code, setCode] = useState("");
  const [isRecovery, setRecovery] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (value: string) => {
    setBusy(true);
    setError(null);
    try {
      await submit(value.trim());
    } catch (refusal) {
      setError(refusal);
      setCode("");
    } finally {
      setBusy(false);
    }
  };
  const submitted = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== "") void send(code);
  };
  const swap = () => {
    setRecovery(!isRecovery);
    setCode("");
    setError(null);
  };
  return (
    <form onSubmit={submitted}>
      <Stack gap="md">
        <Text size="sm" id="code-hint">
          {isRecovery
            ? "Enter one of your recovery codes. Each works once."
            : "Enter the six digits that your authenticator shows."}
        </Text>
        {isRecovery ? (
          <TextInput
            label="Recovery code"
            autoComplete="off"
            autoFocus
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
        ) : (
          <PinInput
            length={6}
            type="number"
            oneTimeCode
            autoFocus
            aria-label="Code"
            getInputProps={(place) => ({ "aria-label": `Digit ${place + 1}` })}
            value={code}
            disabled={isBusy}
            onChange={setCode}
            onComplete={(value) => void send(value)}
          />
        )}
        {error !== null && (
          <LoginError
            error={error}
            wrong={
              isRecovery
                ? "This is no code that is left."
                : "The code is wrong, or it was used already. Wait for the next one."
            }
          />
        )}
        <Button type="submit" size="sm" loading={isBusy}>
          Continue
        </Button>
        <Anchor component="button" type="button" size="sm" onClick={swap}>
          {isRecovery ? "Use the authenticator" : "Use a recovery code"}
        </Anchor>
        <Anchor component="button" type="button" size="sm" onClick={goBack}>
          Back
        </Anchor>
      </Stack>
    </form>
  );
}
