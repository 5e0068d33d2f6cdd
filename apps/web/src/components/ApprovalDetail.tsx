// What exactly an approval is about: the text that would be sent or the action that would be taken, where to, for
// whom, and the digest that an answer counts for.
import { Group, Text } from "@mantine/core";
import { $api } from "../api/client";
import type { ApprovalView } from "../api/types";
import classes from "./ApprovalCard.module.css";
import { CodeBlock } from "./CodeBlock";
import { CopyId } from "./CopyId";
import { KeyValue } from "./KeyValue";
import { TextLink } from "./Links";
import { Markdown } from "./Markdown";
import { RelativeTime } from "./RelativeTime";

type ApprovalDetailProps = { approval: ApprovalView; isEmbedded: boolean };

export function ApprovalDetail({ approval, isEmbedded }: ApprovalDetailProps) {
  const { markdown } = approval.action;
  return (
    <>
      {typeof markdown === "string" ? (
        <div className={classes.prose} tabIndex={0} role="group" aria-label="The text that would be sent">
          <Markdown text={markdown} />
        </div>
      ) : (
        <CodeBlock code={JSON.stringify(approval.action, null, 2)} language="json" of="the action" />
      )}
      <KeyValue items={facts(approval, isEmbedded)} />
    </>
  );
}

function facts(approval: ApprovalView, isEmbedded: boolean) {
  const who = approval.requested_by?.name;
  return [
    ...(isEmbedded
      ? []
      : [
          { label: "Agent", value: <AgentLink id={approval.agent_id} /> },
          { label: "Where", value: <Destination conversation={approval.conversation_id} /> },
          {
            label: "Belongs to",
            value: (
              <Group gap="md">
                <TextLink to="/jobs/$id" params={{ id: approval.job_id }}>
                  Job
                </TextLink>
                <TextLink to="/work-items/$id" params={{ id: approval.work_item_id }}>
                  Work item
                </TextLink>
              </Group>
            ),
          },
        ]),
    ...(who ? [{ label: "For", value: who }] : []),
    {
      label: "Asked",
      value: (
        <Group gap="md">
          <RelativeTime at={approval.requested_at} />
          <Text component="span" size="sm" c="dimmed">
            digest <CopyId id={approval.digest} of="action" />
          </Text>
        </Group>
      ),
    },
    { label: "Id", value: <CopyId id={approval.id} of="approval" /> },
  ];
}

function AgentLink({ id }: { id: string }) {
  const agents = $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 100 } } });
  const name = agents.data?.items.find((agent) => agent.id === id)?.name;
  return (
    <TextLink to="/agents/$id" params={{ id }}>
      {name ?? "Agent"}
    </TextLink>
  );
}

function Destination({ conversation }: { conversation: string }) {
  const asked = $api.useQuery("get", "/api/v1/conversations/{id}", { params: { path: { id: conversation } } });
  const place = asked.data;
  return (
    <TextLink to="/inbox" search={{ conversation_id: conversation }}>
      {place ? [place.integration_name, place.title].filter(Boolean).join(" · ") : "Conversation"}
    </TextLink>
  );
}
