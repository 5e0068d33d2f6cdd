// What a link opens: the first owner's set-up, an invitation, or a new password. The token is in the fragment, which
// browsers do not send to any server; it leaves the address bar as soon as it was read.
import { Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconLink } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { $api, Problem, toProblem } from "../../api/client";
import { beginSession } from "../../api/session";
import type { LinkInspection } from "../../api/types";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink } from "../../components/Links";
import { CardSkeleton } from "../../components/Skeletons";
import { EntryFrame } from "./EntryFrame";
import { passwordProblem } from "./password";

const TITLES = { setup: "Set up Nitejar", invitation: "Join", reset: "Choose a new password" } as const;

export function WelcomeScreen() {
  const [token] = useState(() => new URLSearchParams(window.location.hash.slice(1)).get("token"));
  const inspect = $api.useMutation("post", "/api/v1/links/inspect");
  const { mutate } = inspect;
  useEffect(() => {
    if (token === null) return;
    window.history.replaceState(window.history.state, "", window.location.pathname);
    mutate({ body: { token } });
  }, [token, mutate]);
  useEffect(() => {
    // A link pasted into this very tab changes nothing but the fragment.
    const openLink = () => window.location.reload();
    window.addEventListener("hashchange", openLink);
    return () => window.removeEventListener("hashchange", openLink);
  }, []);
  if (token === null) return <WithoutToken />;
  if (inspect.error !== null) return <Refused error={inspect.error} retry={() => mutate({ body: { token } })} />;
  if (inspect.data === undefined) {
    return (
      <EntryFrame title="Welcome">
        <CardSkeleton height={200} />
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title={TITLES[inspect.data.kind]} hint={hint(inspect.data)}>
      <RedeemForm link={inspect.data} token={token} />
    </EntryFrame>
  );
}

function hint(link: LinkInspection): string {
  switch (link.kind) {
    case "setup":
      return "You become the owner of this server: you may do everything, and invite others.";
    case "invitation":
      return `You were invited as ${link.email ?? "a guest"}, with the role ${link.role ?? "member"}.`;
    case "reset":
      return `For ${link.email ?? "your account"}. Your other sessions end.`;
  }
}

type Values = { name: string; email: string; password: string; repeated: string; code: string };

function RedeemForm({ link, token }: { link: LinkInspection; token: string }) {
  const router = useRouter();
  const isReset = link.kind === "reset";
  const isSetup = link.kind === "setup";
  const [error, setError] = useState<unknown>(null);
  // A link alone does not let in who has a second factor.
  const [asksCode, setAsksCode] = useState(false);
  const redeem = $api.useMutation("post", "/api/v1/links/redeem");
  const form = useForm<Values>({
    mode: "uncontrolled",
    initialValues: { name: "", email: link.email ?? "", password: "", repeated: "", code: "" },
    validate: {
      name: (name) => (isReset || name.trim() !== "" ? null : "Enter your name."),
      email: (email) => (!isSetup || email.includes("@") ? null : "Enter your e-mail address."),
      password: passwordProblem,
      repeated: (repeated, values) => (repeated === values.password ? null : "The two are not the same."),
    },
  });
  const send = async (values: Values) => {
    setError(null);
    try {
      const body = {
        token,
        password: values.password,
        ...(isReset ? {} : { name: values.name.trim() }),
        ...(isSetup ? { email: values.email.trim() } : {}),
        ...(asksCode ? { code: values.code.trim() } : {}),
      };
      beginSession(await redeem.mutateAsync({ body }));
      await router.invalidate();
      await router.navigate({ to: "/", replace: true });
    } catch (refusal) {
      const { code } = toProblem(refusal);
      if (code === "second_factor_required") return setAsksCode(true);
      if (code === "invalid_credentials")
        return form.setFieldError("code", "The code is wrong, or it was used already.");
      const fields = toProblem(refusal).fieldErrors();
      form.setErrors(fields);
      if (Object.keys(fields).every((field) => !(field in values))) setError(refusal);
    }
  };
  return (
    <form onSubmit={form.onSubmit(send)} noValidate>
      <Stack gap="md">
        {!isReset && (
          <TextInput
            label="Your name"
            autoComplete="name"
            autoFocus
            key={form.key("name")}
            {...form.getInputProps("name")}
          />
        )}
        {isSetup && (
          <TextInput
            label="E-mail"
            description="With this you log in. Nothing is sent to it."
            type="email"
            autoComplete="username"
            key={form.key("email")}
            {...form.getInputProps("email")}
          />
        )}
        <PasswordInput
          label={isReset ? "New password" : "Password"}
          description="At least 10 characters. A sentence is a good one."
          autoComplete="new-password"
          visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }}
          key={form.key("password")}
          {...form.getInputProps("password")}
        />
        <PasswordInput
          label="The same again"
          autoComplete="new-password"
          visibilityToggleButtonProps={{ "aria-label": "Show the repeated password", tabIndex: 0 }}
          key={form.key("repeated")}
          {...form.getInputProps("repeated")}
        />
        {asksCode && (
          <TextInput
            label="Code"
            description="From your authenticator, or one of your recovery codes."
            autoComplete="one-time-code"
            autoFocus
            key={form.key("code")}
            {...form.getInputProps("code")}
          />
        )}
        {error !== null && <ErrorState error={error} />}
        <Button type="submit" size="sm" loading={redeem.isPending}>
          {isReset ? "Set the password and log in" : isSetup ? "Create the owner" : "Join"}
        </Button>
      </Stack>
    </form>
  );
}

function Refused({ error, retry }: { error: unknown; retry: () => void }) {
  const isUnknown = error instanceof Problem && error.code === "link_unknown";
  return (
    <EntryFrame title={isUnknown ? "This link does not work any more" : "The link could not be checked"}>
      {isUnknown ? (
        <>
          <Text size="sm">
            It was used before, it expired, or it was withdrawn. Ask an admin for a new one. Who runs the server gets
            one with <code className="mono">nitejar user reset-link &lt;email&gt;</code>.
          </Text>
          <ButtonLink to="/login" size="sm">
            Go to the login
          </ButtonLink>
        </>
      ) : (
        <ErrorState error={error} retry={retry} />
      )}
    </EntryFrame>
  );
}

/** Somebody came without a link: to a server that has no owner yet, or by mistake. */
function WithoutToken() {
  const access = $api.useQuery("get", "/api/v1/access");
  if (access.data?.setup_required === true) {
    return (
      <EntryFrame title="This server has no owner yet" footer={`Nitejar ${access.data.version}`}>
        <Text size="sm">
          Open the set-up link that the server printed on its terminal when it started. It is also in the file{" "}
          <code className="mono">setup.link</code> in its data directory, which only the user it runs as may read.
        </Text>
        <Text size="sm" c="dimmed">
          The link works once. A server that is started again without an owner prints a new one.
        </Text>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="A link is missing">
      <EmptyState
        icon={IconLink}
        title="Open the whole link"
        action={<ButtonLink to="/login">Go to the login</ButtonLink>}
      >
        This page opens with a link that an admin gave you. The part behind the # belongs to it.
      </EmptyState>
    </EntryFrame>
  );
}
