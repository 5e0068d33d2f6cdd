// The first step of a login: e-mail and password.
import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { Problem } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";

export type Credentials = { email: string; password: string };
export type PasswordStepProps = {
  submit: (credentials: Credentials) => Promise<unknown>;
  /** The password is right, and a code is wanted. */
  needsCode: (credentials: Credentials) => void;
};

export function PasswordStep({ submit, needsCode }: PasswordStepProps) {
  const form = useForm<Credentials>({
    mode: "uncontrolled",
    initialValues: { email: "", password: "" },
    validate: {
      email: (email) => (email.includes("@") ? null : "Enter your e-mail address."),
      password: (password) => (password === "" ? "Enter your password." : null),
    },
  });
  const [error, setError] = useState<unknown>(null);
  const [forgot, setForgot] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const send = async (values: Credentials) => {
    setBusy(true);
    setError(null);
    try {
      await submit(values);
    } catch (refusal) {
      if (refusal instanceof Problem && refusal.code === "second_factor_required") needsCode(values);
      else setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={form.onSubmit(send)} noValidate>
      <Stack gap="md">
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          data-autofocus
          key={form.key("email")}
          {...form.getInputProps("email")}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }}
          key={form.key("password")}
          {...form.getInputProps("password")}
        />
        {error !== null && <LoginError error={error} wrong="The e-mail address or the password is wrong." />}
        <Button type="submit" size="sm" loading={isBusy}>
          Log in
        </Button>
        <Anchor component="button" type="button" size="sm" onClick={() => setForgot(!forgot)} aria-expanded={forgot}>
          Forgot your password?
        </Anchor>
        {forgot && (
          <Text size="sm" c="dimmed">
            Ask an admin for a reset link. Who runs the server gets one with{" "}
            <code className="mono">nitejar user reset-link &lt;email&gt;</code>.
          </Text>
        )}
      </Stack>
    </form>
  );
}

/** A wrong password is no fault of the server, so it needs no request id. */
export function LoginError({ error, wrong }: { error: unknown; wrong: string }) {
  if (error instanceof Problem && error.code === "invalid_credentials") {
    return (
      <Text size="sm" c="var(--mantine-color-error)" role="alert">
        {wrong}
      </Text>
    );
  }
  return <ErrorState error={error} title="You were not logged in" />;
}
