// The login: e-mail and password, then the second factor when there is one, or the issuer of the company.
import { Alert, Button, Divider, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Navigate, useRouter, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { $api } from "../../api/client";
import { beginSession } from "../../api/session";
import type { AccessView } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { CardSkeleton } from "../../components/Skeletons";
import { CodeStep } from "./CodeStep";
import { EntryFrame } from "./EntryFrame";
import { type Credentials, PasswordStep } from "./PasswordStep";
import { returnPath } from "./returnTo";

export function LoginScreen() {
  const access = $api.useQuery("get", "/api/v1/access");
  if (access.data?.setup_required === true) return <Navigate to="/welcome" replace />;
  return (
    <EntryFrame title="Log in" footer={access.data && `Nitejar ${access.data.version}`}>
      {access.isPending && <CardSkeleton height={160} />}
      {access.isError && <ErrorState error={access.error} retry={() => void access.refetch()} />}
      {access.data !== undefined && <LoginWays access={access.data} />}
    </EntryFrame>
  );
}

function LoginWays({ access }: { access: AccessView }) {
  const search = useSearch({ from: "/login" });
  const router = useRouter();
  const [credentials, setCredentials] = useState<Credentials | null>(null);
  const back = returnPath(search.return_to);
  const logIn = $api.useMutation("post", "/api/v1/session", {
    onSuccess: async (session) => {
      beginSession(session);
      await router.invalidate();
      router.history.push(back);
    },
  });
  if (credentials !== null) {
    return (
      <CodeStep
        submit={(code) => logIn.mutateAsync({ body: { ...credentials, code } })}
        goBack={() => setCredentials(null)}
      />
    );
  }
  const issuer = access.oidc;
  return (
    <Stack gap="lg">
      {search.error !== undefined && (
        <Alert variant="outline" color="red" icon={<IconAlertTriangle aria-hidden />} title="You were not logged in">
          <Text size="sm">{refusal(search.error)}</Text>
        </Alert>
      )}
      {issuer !== null && (
        <Button
          component="a"
          size="sm"
          variant={access.password_login ? "default" : "filled"}
          href={`/api/v1/oidc/login?return_to=${encodeURIComponent(back)}`}
        >
          Continue with {issuer.name}
        </Button>
      )}
      {issuer !== null && access.password_login && <Divider label="or" />}
      {access.password_login && (
        <PasswordStep submit={(body) => logIn.mutateAsync({ body })} needsCode={setCredentials} />
      )}
    </Stack>
  );
}

/** Why the company's login sent the person back. */
function refusal(code: string): string {
  switch (code) {
    case "access_denied":
      return "The login was cancelled, or the issuer refused it.";
    case "unknown_person":
      return "Nobody here has this account, and strangers are not let in. Ask an admin for an invitation.";
    case "not_allowed":
      return "The issuer no longer names you for any role here. Ask whoever runs it, or an admin.";
    case "email_taken":
      return "Somebody here has your e-mail address already, and nothing proves that it is you. Ask an admin.";
    case "email_missing":
      return "The issuer did not say your e-mail address, and a login here needs one. Ask an admin.";
    case "user_disabled":
      return "This account is disabled. Ask an admin to enable it.";
    case "not_configured":
      return "There is no company login any more. Log in with your password.";
    case "issuer_unavailable":
      return "The issuer does not answer. Try again in a while.";
    case "expired":
    case "state_unknown":
      return "The login took too long, or began in another browser. Try again.";
    default:
      return `The login through the issuer failed (${code}). Try again, or ask an admin to look at the server's log.`;
  }
}
