// The second factor: switched on in three steps (password, a code from the authenticator, recovery codes), switched
// off with the password.
import { Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCircleCheck, IconCircleDashed } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { $api } from "../../../api/client";
import { sessionKey } from "../../../api/session";
import { ErrorState } from "../../../components/ErrorState";
import { notifyDone } from "../../../components/notify";
import { Secret } from "../../../components/Secret";
import { ConfirmCode } from "./ConfirmCode";

export function TwoFactor({ isOn }: { isOn: boolean }) {
  const [opened, dialog] = useDisclosure(false);
  const StateIcon = isOn ? IconCircleCheck : IconCircleDashed;
  return (
    <Stack gap="md" align="flex-start">
      <Group gap="sm">
        <StateIcon size={16} color={isOn ? "var(--state-done)" : "var(--state-idle)"} aria-hidden />
        <Text size="sm">{isOn ? "It is on." : "It is off."}</Text>
      </Group>
      <Button variant="default" onClick={dialog.open}>
        {isOn ? "Switch off" : "Switch on"}
      </Button>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title={isOn ? "Switch the second factor off" : "Switch the second factor on"}
        // Half a set-up, or codes nobody wrote down, should not vanish by a stray click.
        closeOnClickOutside={false}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {isOn ? <SwitchOff close={dialog.close} /> : <SwitchOn close={dialog.close} />}
      </Modal>
    </Stack>
  );
}

function SwitchOn({ close }: { close: () => void }) {
  const cache = useQueryClient();
  const begin = $api.useMutation("post", "/api/v1/me/totp");
  const [codes, setCodes] = useState<string[] | null>(null);
  const finish = async () => {
    await cache.invalidateQueries({ queryKey: sessionKey });
    close();
  };
  if (codes !== null) {
    return (
      <Stack>
        <Text size="sm">The second factor is on. If you lose your phone, each of these codes lets you in once.</Text>
        <Secret title="Recovery codes" value={codes.join("\n")}>
          <Text size="sm">Print them, or keep them in a password manager.</Text>
        </Secret>
        <Group justify="flex-end">
          <Button onClick={finish}>I have kept them</Button>
        </Group>
      </Stack>
    );
  }
  if (begin.data !== undefined) return <ConfirmCode secret={begin.data} confirmed={setCodes} />;
  return (
    <PasswordAsked
      hint="Enter your password first, so that nobody else can do this at your desk."
      action="Continue"
      submit={(password) => begin.mutateAsync({ body: { password } })}
    />
  );
}

function SwitchOff({ close }: { close: () => void }) {
  const cache = useQueryClient();
  const end = $api.useMutation("delete", "/api/v1/me/totp");
  const submit = async (password: string) => {
    await end.mutateAsync({ body: { password } });
    await cache.invalidateQueries({ queryKey: sessionKey });
    notifyDone("The second factor is off.");
    close();
  };
  return (
    <PasswordAsked
      hint="From then on your password alone lets you in, and your recovery codes are void."
      action="Switch off"
      danger
      submit={submit}
    />
  );
}

type PasswordAskedProps = {
  hint: string;
  action: string;
  danger?: boolean;
  submit: (password: string) => Promise<unknown>;
};

function PasswordAsked({ hint, action, danger = false, submit }: PasswordAskedProps) {
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await submit(password);
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <Stack>
        <Text size="sm">{hint}</Text>
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          data-autofocus
          visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {error !== null && <ErrorState error={error} />}
        <Group justify="flex-end">
          <Button type="submit" color={danger ? "red" : undefined} disabled={password === ""} loading={isBusy}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
