// Which accounts elsewhere are me: what such an account says to a bot counts as said by me, with my rights.
import { Button, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { ErrorState } from "../../../components/ErrorState";
import { Loaded } from "../../../components/Loaded";
import { notifyDone } from "../../../components/notify";
import { RelativeTime } from "../../../components/RelativeTime";
import { Secret } from "../../../components/Secret";
import { ListSkeleton } from "../../../components/Skeletons";
import { Row, Rows } from "../Section";

type Identity = components["schemas"]["IdentityView"];

export function Identities() {
  const identities = $api.useQuery("get", "/api/v1/me/identities");
  return (
    <Loaded query={identities} failure="Your linked accounts could not be loaded" skeleton={<ListSkeleton rows={1} />}>
      {({ items }) => (
        <Stack gap="md">
          {items.length > 0 && <LinkedAccounts items={items} />}
          <LinkCode />
        </Stack>
      )}
    </Loaded>
  );
}

function LinkedAccounts({ items }: { items: readonly Identity[] }) {
  const cache = useQueryClient();
  const remove = $api.useMutation("delete", "/api/v1/me/identities/{id}");
  const unlink = async (id: string) => {
    await remove.mutateAsync({ params: { path: { id } } });
    notifyDone("The account is no longer linked.");
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/me/identities"] });
  };
  return (
    <Rows label="Linked accounts">
      {items.map(({ id, name, provider, external_id, created_at }) => (
        <Row
          key={id}
          title={name ?? external_id}
          facts={
            <>
              {provider} · <span className="mono">{external_id}</span> · linked <RelativeTime at={created_at} />
            </>
          }
          actions={
            <ConfirmButton
              title={`Unlink ${name ?? external_id}?`}
              message="What this account says to a bot no longer counts as said by you."
              confirm="Unlink"
              onConfirm={() => unlink(id)}
            >
              Unlink
            </ConfirmButton>
          }
        />
      ))}
    </Rows>
  );
}

function LinkCode() {
  const make = $api.useMutation("post", "/api/v1/me/identities/link-code");
  if (make.data !== undefined) {
    return (
      <Secret title="Say this to the bot" value={`/link ${make.data.code}`}>
        <Text size="sm">
          Send it from the account you want to link, in a chat with the bot alone. It works once, and ends{" "}
          <RelativeTime at={make.data.expires_at} />.
        </Text>
      </Secret>
    );
  }
  return (
    <Stack gap="md" align="flex-start">
      <Button variant="default" loading={make.isPending} onClick={() => make.mutate({})}>
        Link an account
      </Button>
      {make.error !== null && <ErrorState error={make.error} title="No code could be made" />}
    </Stack>
  );
}
