// Who has a login here and who was asked to come. Links are shown once, because the server keeps only their hash and
// sends no mail: whoever makes one hands it over.
import { Button, Stack } from "@mantine/core";
import { IconUserPlus } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import type { LinkView } from "../../api/types";
import { ConfirmButton } from "../../components/ConfirmButton";
import { ErrorState } from "../../components/ErrorState";
import { RelativeTime } from "../../components/RelativeTime";
import { ListSkeleton } from "../../components/Skeletons";
import { InviteForm } from "./InviteForm";
import { LinkOnce } from "./LinkOnce";
import { Row, Rows, Section } from "./Section";
import { roleLabel } from "./scopes";
import { UserRow } from "./UserRow";
import { useAfterwards } from "./useAfterwards";

export function PeopleSection() {
  const mayChange = useMay("people", "administer");
  const [isInviting, setInviting] = useState(false);
  const [link, setLink] = useState<LinkView | null>(null);
  const users = $api.useQuery("get", "/api/v1/users");
  return (
    <Stack gap={32}>
      <Section
        title="People"
        description="Everybody with a login. What a role may do is the same everywhere in the app and the API."
        action={
          mayChange && (
            <Button leftSection={<IconUserPlus size={14} aria-hidden />} onClick={() => setInviting(true)}>
              Invite
            </Button>
          )
        }
      >
        {users.isPending ? (
          <ListSkeleton rows={3} />
        ) : users.isError ? (
          <ErrorState title="The people could not be loaded" error={users.error} retry={() => void users.refetch()} />
        ) : (
          <Rows label="People">
            {users.data.items.map((user) => (
              <UserRow key={user.id} user={user} onLink={setLink} />
            ))}
          </Rows>
        )}
      </Section>
      {mayChange && <Invitations />}
      {isInviting && <InviteForm onClose={() => setInviting(false)} />}
      {link !== null && <LinkOnce link={link} onClose={() => setLink(null)} />}
    </Stack>
  );
}

function Invitations() {
  const invitations = $api.useQuery("get", "/api/v1/invitations");
  const revoke = $api.useMutation("delete", "/api/v1/invitations/{id}");
  const afterwards = useAfterwards("/api/v1/invitations");
  if (invitations.isPending) return <ListSkeleton rows={1} />;
  if (invitations.isError)
    return (
      <ErrorState title="The invitations could not be loaded" error={invitations.error} retry={invitations.refetch} />
    );
  return (
    <Section
      title="Open invitations"
      description="Links nobody has used yet. A lost link cannot be shown again: take it back and invite anew."
    >
      <Rows label="Open invitations">
        {invitations.data.items.length === 0 && (
          <Row title="None" facts="Invitations that are not used yet appear here." />
        )}
        {invitations.data.items.map((invitation) => {
          const who = invitation.email ?? "nobody named";
          return (
            <Row
              key={invitation.id}
              title={who}
              facts={
                <>
                  {invitation.role ? `${roleLabel(invitation.role)} · ` : ""}
                  {invitation.kind === "reset" ? "password reset · " : ""}
                  made <RelativeTime at={invitation.created_at} /> · expires <RelativeTime at={invitation.expires_at} />
                </>
              }
              actions={
                <ConfirmButton
                  title={`Take back the link for ${who}?`}
                  message="The link stops working at once."
                  confirm="Take back"
                  onConfirm={async () => {
                    await revoke.mutateAsync({ params: { path: { id: invitation.id } } });
                    await afterwards(`The link for ${who} is taken back.`);
                  }}
                >
                  Take back
                </ConfirmButton>
              }
            />
          );
        })}
      </Rows>
    </Section>
  );
}
