// One person with a login: their role, whether they can get in, and the ways back in when they cannot.
import { Button, Group, Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "../../api/client";
import { sessionKey, useMay, useSession } from "../../api/session";
import type { LinkView, Role, UserView } from "../../api/types";
import { ConfirmButton } from "../../components/ConfirmButton";
import { CopyId } from "../../components/CopyId";
import { notifyProblem } from "../../components/notify";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { Row } from "./Section";
import { ROLES, roleLabel } from "./scopes";
import { useAfterwards } from "./useAfterwards";

export function UserRow({ user, onLink }: { user: UserView; onLink: (link: LinkView) => void }) {
  const session = useSession();
  const isSelf = session.user?.id === user.id;
  const isAdmin = useMay("people", "administer");
  // Only owners change owners; the server says so too.
  const mayChange = isAdmin && (session.role === "owner" || user.role !== "owner");
  const how = [
    user.has_password && "password",
    user.has_totp && "second factor",
    user.oidc_subject && "single sign-on",
  ];
  return (
    <Row
      title={
        <>
          {user.name}
          {isSelf && " (you)"}
        </>
      }
      badges={
        <>
          {!user.enabled && <StatusBadge kind="agent" status="disabled" />}
          <CopyId id={user.id} of="person" />
        </>
      }
      facts={
        <>
          {user.email} · {mayChange ? "" : `${roleLabel(user.role)} · `}
          {how.filter(Boolean).join(", ") || "cannot log in yet"} · last seen <RelativeTime at={user.last_seen_at} />
        </>
      }
      actions={mayChange && <Actions user={user} isSelf={isSelf} onLink={onLink} />}
    />
  );
}

function Actions({ user, isSelf, onLink }: { user: UserView; isSelf: boolean; onLink: (link: LinkView) => void }) {
  const session = useSession();
  const cache = useQueryClient();
  const settle = useAfterwards("/api/v1/users", "/api/v1/invitations");
  const afterwards = async (said: string) => {
    // Who changes their own role may do other things from now on.
    await Promise.all([settle(said), cache.invalidateQueries({ queryKey: sessionKey })]);
  };
  const update = $api.useMutation("patch", "/api/v1/users/{id}");
  const remove = $api.useMutation("delete", "/api/v1/users/{id}");
  const reset = $api.useMutation("post", "/api/v1/users/{id}/reset-link");
  const removeTotp = $api.useMutation("delete", "/api/v1/users/{id}/totp");
  const params = { path: { id: user.id } };

  const change = async (body: { role?: Role; enabled?: boolean }, said: string) => {
    try {
      await update.mutateAsync({ params, body });
      await afterwards(said);
    } catch (error) {
      notifyProblem(`${user.name} could not be changed`, error);
    }
  };
  const makeLink = async () => {
    try {
      onLink(await reset.mutateAsync({ params }));
    } catch (error) {
      notifyProblem("The link could not be made", error);
    }
  };
  const roles = ROLES.filter(({ role }) => session.role === "owner" || role !== "owner");
  return (
    <Group gap="sm">
      <Select
        aria-label={`Role of ${user.name}`}
        size="xs"
        w={110}
        data={roles.map(({ role, label }) => ({ value: role, label }))}
        value={user.role}
        allowDeselect={false}
        disabled={update.isPending}
        onChange={(value) => {
          const role = roles.find((one) => one.role === value)?.role;
          if (role && role !== user.role)
            void change({ role }, `${user.name} is now ${roleLabel(role).toLowerCase()}.`);
        }}
      />
      <Button
        variant="default"
        loading={reset.isPending}
        onClick={() => void makeLink()}
        aria-label={`Reset link for ${user.name}`}
      >
        Reset link
      </Button>
      {user.has_totp && (
        <ConfirmButton
          title={`Remove the second factor of ${user.name}?`}
          message="Their password alone lets them in until they set up a new one."
          confirm="Remove second factor"
          onConfirm={async () => {
            await removeTotp.mutateAsync({ params });
            await afterwards(`The second factor of ${user.name} is removed.`);
          }}
        >
          Remove second factor
        </ConfirmButton>
      )}
      {!isSelf && user.enabled && (
        <ConfirmButton
          title={`Disable ${user.name}?`}
          message="They are logged out everywhere and their tokens stop working at once. You can enable them again."
          confirm="Disable"
          onConfirm={async () => {
            await update.mutateAsync({ params, body: { enabled: false } });
            await afterwards(`${user.name} is disabled.`);
          }}
        >
          Disable
        </ConfirmButton>
      )}
      {!user.enabled && (
        <Button variant="default" onClick={() => void change({ enabled: true }, `${user.name} is enabled.`)}>
          Enable
        </Button>
      )}
      {!isSelf && (
        <ConfirmButton
          title={`Delete ${user.name}?`}
          message="Their login, sessions and tokens are gone for good. What they did stays in the audit log under their name."
          confirm="Delete person"
          onConfirm={async () => {
            await remove.mutateAsync({ params });
            await afterwards(`${user.name} is deleted.`);
          }}
        >
          Delete
        </ConfirmButton>
      )}
    </Group>
  );
}
