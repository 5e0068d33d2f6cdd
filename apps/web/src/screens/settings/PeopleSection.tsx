// Who has a login here and who was asked to come. Links are shown once, because the server keeps only their hash and
// sends no mail: whoever makes one hands it over.
import { Button, Stack } from "@mantine/core";
import { IconUserPlus } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../api/client";
import type { components } from "../../api/schema";
import { useMay } from "../../api/session";
import type { LinkView } from "../../api/types";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Loaded } from "../../components/Loaded";
import { RelativeTime } from "../../components/RelativeTime";
import { ListSkeleton } from "../../components/Skeletons";
import { InviteForm } from "./InviteForm";
import { LinkOnce } from "./LinkOnce";
import { Row, Rows, Section } from "./Section";
import { roleLabel } from "./scopes";
import { UserRow } from "./UserRow";
import { useAfterwards } from "./useAfterwards";

type Invitation = components["schemas"]["InvitationView"];

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
        <Loaded query={users} failure="The people could not be loaded" skeleton={<ListSkeleton rows={3} />}>
          {({ items }) => (
            <Rows label="People">
              {items.map((user) => (
                <UserRow key={user.id} user={user} onLink={setLink} />
              ))}
            </Rows>
          )}
        </Loaded>
      </Section>
      {mayChange && <Invitations />}
      {isInviting && <InviteForm onClose={() => setInviting(false)} />}
      {link !== null && <LinkOnce link={link} onClose={() => setLink(null)} />}
    </Stack>
  );
}

function Invitations() {
  const invitations = $api.useQuery("get", "/api/v1/invitations");
  return (
    <Loaded query={invitations} failure="The invitations could not be loaded" skeleton={<ListSkeleton rows={1} />}>
      {({ items }) => <OpenInvitations items={items} />}
    </Loaded>
  );
}

function OpenInvitations({ items }: { items: readonly Invitation[] }) {
  const revoke = $api.useMutation("delete", "/api/v1/invitations/{id}");
  const afterwards = useAfterwards("/api/v1/invitations");
  return (
    <Section
      title="Open invitations"
      description="Links nobody has used yet. A lost link cannot be shown again: take it back and invite anew."
    >
      <Rows label="Open invitations">
        {items.length === 0 && <Row title="None" facts="Invitations that are not used yet appear here." />}
        {items.map((invitation) => {
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
