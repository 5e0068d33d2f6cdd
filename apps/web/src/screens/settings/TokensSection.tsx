// Tokens for programs: personal ones act as their person, service ones as themselves. A token is shown once; after
// that there is only its name, what it may do and when it was last used.
import { Badge, Button } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../api/client";
import type { TokenView } from "../../api/types";
import { ConfirmButton } from "../../components/ConfirmButton";
import { CopyId } from "../../components/CopyId";
import { EmptyState } from "../../components/EmptyState";
import { Loaded } from "../../components/Loaded";
import { RelativeTime } from "../../components/RelativeTime";
import { ListSkeleton } from "../../components/Skeletons";
import { Row, Rows, Section } from "./Section";
import { describeScopes, roleLabel } from "./scopes";
import { TokenForm } from "./TokenForm";
import { useAfterwards } from "./useAfterwards";

export function TokensSection() {
  const tokens = $api.useQuery("get", "/api/v1/tokens");
  const [isMaking, setMaking] = useState(false);
  const make = (
    <Button leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      New token
    </Button>
  );
  return (
    <Section
      title="Tokens"
      description="For scripts and other programs that use the API: what the app can do, a token can do, as far as it is let."
      action={make}
    >
      <Loaded query={tokens} failure="The tokens could not be loaded" skeleton={<ListSkeleton rows={3} />}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={IconKey} title="No tokens" action={make}>
              A token lets a program in. Give it no more than it needs and a day on which it ends.
            </EmptyState>
          ) : (
            <Rows label="Tokens">
              {items.map((token) => (
                <TokenRow key={token.id} token={token} />
              ))}
            </Rows>
          )
        }
      </Loaded>
      {isMaking && <TokenForm onClose={() => setMaking(false)} />}
    </Section>
  );
}

function TokenRow({ token }: { token: TokenView }) {
  const revoke = $api.useMutation("delete", "/api/v1/tokens/{id}");
  const afterwards = useAfterwards("/api/v1/tokens");
  const isExpired = token.expires_at !== null && Date.parse(token.expires_at) <= Date.now();
  const isDead = token.revoked_at !== null || isExpired;
  return (
    <Row
      title={token.name}
      badges={
        <>
          <Badge variant="default" tt="none">
            {token.kind === "personal" ? "Personal" : "Service"}
          </Badge>
          {isDead && (
            <Badge variant="default" tt="none">
              {token.revoked_at !== null ? "Revoked" : "Expired"}
            </Badge>
          )}
          <CopyId id={token.id} of="token" />
        </>
      }
      facts={
        <>
          {roleLabel(token.role)} · {describeScopes(token.scopes)} · made <RelativeTime at={token.created_at} /> · last
          used <RelativeTime at={token.last_used_at} /> ·{" "}
          {token.revoked_at !== null ? (
            <>
              revoked <RelativeTime at={token.revoked_at} />
            </>
          ) : (
            <>
              {isExpired ? "expired" : "expires"} <RelativeTime at={token.expires_at} />
            </>
          )}
        </>
      }
      actions={
        !isDead && (
          <ConfirmButton
            title={`Revoke the token ${token.name}?`}
            message="Whatever uses it is refused from this moment on. This cannot be undone."
            confirm="Revoke token"
            onConfirm={async () => {
              await revoke.mutateAsync({ params: { path: { id: token.id } } });
              await afterwards(`The token ${token.name} is revoked.`);
            }}
          >
            Revoke
          </ConfirmButton>
        )
      }
    />
  );
}
