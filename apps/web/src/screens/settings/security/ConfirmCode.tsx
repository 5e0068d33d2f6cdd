// The middle step of switching the second factor on: the authenticator learns the secret, and proves it with a code.
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { $api } from "../../../api/client";
import { CopyId } from "../../../components/CopyId";
import { ErrorState } from "../../../components/ErrorState";
import { CardSkeleton } from "../../../components/Skeletons";

const QrCode = lazy(() => import("./QrCode"));

export type ConfirmCodeProps = {
  secret: { secret: string; otpauth_url: string };
  /** The recovery codes, once the code was right. */
  confirmed: (recoveryCodes: string[]) => void;
};

export function ConfirmCode({ secret, confirmed }: ConfirmCodeProps) {
  const [code, setCode] = useState("");
  const confirm = $api.useMutation("post", "/api/v1/me/totp/confirm", {
    onSuccess: (answer) => confirmed(answer.recovery_codes),
    onError: () => setCode(""),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate({ body: { code } });
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <Text size="sm">Scan this with an authenticator, then enter the six digits it shows.</Text>
        <Suspense fallback={<CardSkeleton height={192} />}>
          <QrCode text={secret.otpauth_url} label="QR code for the authenticator" />
        </Suspense>
        <div>
          <Text size="sm" c="dimmed">
            It cannot scan? Type this key:
          </Text>
          <CopyId id={secret.secret} of="authenticator" whole />
        </div>
        <TextInput
          label="Code"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={6}
          data-autofocus
          value={code}
          onChange={(event) => setCode(event.currentTarget.value.replace(/\D/g, ""))}
        />
        {confirm.error !== null && <ErrorState error={confirm.error} title="The code was not accepted" />}
        <Group justify="flex-end">
          <Button type="submit" disabled={code.length !== 6} loading={confirm.isPending}>
            Confirm
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
