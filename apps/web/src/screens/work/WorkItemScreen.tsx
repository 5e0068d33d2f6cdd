// The whole story of one thing that came in: what was said, what each agent decided and why, and what its jobs did,
// changed and cost.
import { Text } from "@mantine/core";
import { IconCircleDashed, IconFlag, IconInbox, IconPlayerPlay } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { $api } from "../../api/client";
import { useAgentNames, useIntegrationNames } from "../../api/names";
import type { components } from "../../api/schema";
import { CopyId } from "../../components/CopyId";
import { ErrorState } from "../../components/ErrorState";
import { TextLink } from "../../components/Links";
import { Money } from "../../components/Money";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { PageSkeleton } from "../../components/Skeletons";
import { Spine } from "../../components/Spine";
import { StatusBadge } from "../../components/StatusBadge";
import { count, titleOf } from "../../lib/format";
import { Came } from "./Came";
import { JobStep } from "./JobStep";
import classes from "./WorkItemScreen.module.css";

type Schemas = components["schemas"];
type WorkItemDetail = Schemas["WorkItemDetailView"];

export function WorkItemScreen() {
  const { id } = useParams({ from: "/shell/work-items/$id" });
  const item = $api.useQuery("get", "/api/v1/work-items/{id}", { params: { path: { id } } });
  if (item.data !== undefined) return <Story item={item.data} />;
  if (item.error === null) return <PageSkeleton />;
  return (
    <Page title="Work item">
      <ErrorState error={item.error} title="The work item could not be loaded" retry={() => void item.refetch()} />
    </Page>
  );
}

function Story({ item }: { item: WorkItemDetail }) {
  return (
    <Page
      title={titleOf(item.message.text)}
      badge={<StatusBadge kind="item" status={item.status} />}
      subtitle={<Facts item={item} />}
      back={
        <TextLink to="/inbox" size="sm">
          Inbox
        </TextLink>
      }
    >
      <ol className={classes.story} aria-label="Story">
        <li>
          <Spine icon={IconInbox}>
            <Came item={item} />
          </Spine>
        </li>
        {stepsOf(item).map((step) => (
          <li key={step.key}>
            {step.kind === "decision" ? <DecisionStep decision={step.decision} /> : <JobStep job={step.job} />}
          </li>
        ))}
        <li>
          <Outcome item={item} />
        </li>
      </ol>
    </Page>
  );
}

type Step =
  | { kind: "decision"; key: string; at: string; decision: Schemas["DecisionView"] }
  | { kind: "job"; key: string; at: string; job: Schemas["JobView"] };

/** In the order in which it happened; a decision comes before the job that it made. */
function stepsOf(item: WorkItemDetail): Step[] {
  const steps: Step[] = [
    ...item.decisions.map(
      (decision): Step => ({ kind: "decision", key: decision.agent_id, at: decision.created_at, decision }),
    ),
    ...item.jobs.map((job): Step => ({ kind: "job", key: job.id, at: job.created_at, job })),
  ];
  return steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.kind.localeCompare(b.kind));
}

function Facts({ item }: { item: WorkItemDetail }) {
  const integrations = useIntegrationNames();
  const cost = [...item.decisions, ...item.jobs].reduce((sum, step) => sum + step.cost_micros, 0);
  return (
    <div className={classes.facts}>
      <TextLink to="/integrations/$id" params={{ id: item.integration_id }} size="sm">
        {integrations.get(item.integration_id) ?? "Integration"}
      </TextLink>
      <span>
        Came <RelativeTime at={item.created_at} />
      </span>
      <span>{count(item.jobs.length, "job")}</span>
      <Money micros={cost} />
      <TextLink to="/inbox" search={{ conversation_id: item.conversation_id }} size="sm">
        Same conversation
      </TextLink>
      <CopyId id={item.id} of="work item" />
    </div>
  );
}

/** What settled it; a rule, where nothing else is said. */
const SETTLED: Partial<Record<Schemas["DecidedBy"], string>> = {
  model: "a model decided",
  fallback: "no model could be asked",
};

function DecisionStep({ decision }: { decision: Schemas["DecisionView"] }) {
  const name = useAgentNames().get(decision.agent_id) ?? "An agent";
  const acts = decision.verdict === "act";
  return (
    <Spine icon={acts ? IconPlayerPlay : IconCircleDashed} state={acts ? "running" : undefined}>
      <div className={classes.decision}>
        <span>
          <TextLink to="/agents/$id" params={{ id: decision.agent_id }} fw={600} c="inherit">
            {name}
          </TextLink>{" "}
          {acts ? "acts" : "passes"}: {decision.reason}
        </span>
        <Text component="span" size="xs" c="dimmed">
          {SETTLED[decision.decided_by] ?? "a rule decided"}
          {decision.cost_micros > 0 && (
            <>
              {" "}
              for <Money micros={decision.cost_micros} />
            </>
          )}{" "}
          · <RelativeTime at={decision.created_at} />
        </Text>
      </div>
    </Spine>
  );
}

const ENDS: Record<Schemas["WorkItemStatus"], string> = {
  open: "Open: an agent may still act, or an answer is on its way.",
  replied: "Replied.",
  passed: "Passed: no agent acted.",
  failed: "Failed: somebody acted, and no answer arrived.",
};

function Outcome({ item }: { item: WorkItemDetail }) {
  const state = { open: undefined, replied: "done", passed: undefined, failed: "failed" } as const;
  return (
    <Spine icon={IconFlag} state={state[item.status]}>
      <div className={classes.decision}>
        <Text component="span" fw={600}>
          {ENDS[item.status]}
        </Text>
        {item.reason !== null && <span>{item.reason}</span>}
        {item.closed_at !== null && (
          <Text component="span" size="xs" c="dimmed">
            <RelativeTime at={item.closed_at} />
          </Text>
        )}
      </div>
    </Spine>
  );
}
