// Where somebody is logged in, and the button that ends it.
import { Badge } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "../../../api/client";
import type { UserSessionView } from "../../../api/types";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { Loaded } from "../../../components/Loaded";
import { notifyDone } from "../../../components/notify";
import { RelativeTime } from "../../../components/RelativeTime";
import { ListSkeleton } from "../../../components/Skeletons";
import { Row, Rows } from "../Section";
import { browserOf } from "./browser";

export function SessionList({ userId }: { userId: string }) {
  const sessions = $api.useQuery("get", "/api/v1/sessions", { params: { query: { limit: 100, user_id: userId } } });
  return (
    <Loaded query={sessions} failure="The sessions could not be loaded" skeleton={<ListSkeleton rows={2} />}>
      {({ items }) => (
        <Rows label="Sessions">
          {items.map((session) => (
            <SessionRow key={session.id} session={session} />
          ))}
        </Rows>
      )}
    </Loaded>
  );
}

function SessionRow({ session }: { session: UserSessionView }) {
  const cache = useQueryClient();
  const end = $api.useMutation("delete", "/api/v1/sessions/{id}");
  const browser = browserOf(session.user_agent);
  const confirm = async () => {
    await end.mutateAsync({ params: { path: { id: session.id } } });
    notifyDone("The session was ended.");
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/sessions"] });
  };
  return (
    <Row
      title={browser}
      badges={
        session.is_current && (
          <Badge variant="default" size="sm" tt="none">
            This one
          </Badge>
        )
      }
      facts={
        <>
          {session.address !== null && <span className="mono">{session.address} · </span>}
          used <RelativeTime at={session.last_seen_at} /> · logged in <RelativeTime at={session.created_at} />
        </>
      }
      actions={
        !session.is_current && (
          <ConfirmButton
            title={`End the session of ${browser}?`}
            message="Whoever uses it has to log in again."
            confirm="End session"
            onConfirm={confirm}
          >
            End
          </ConfirmButton>
        )
      }
    />
  );
}
