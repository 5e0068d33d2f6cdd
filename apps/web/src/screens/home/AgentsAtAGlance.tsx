// Every agent in one line: what it does now, what waits for it, what it spent of its budget today.
import { Progress, Title } from "@mantine/core";
import type { OverviewAgentView } from "../../api/types";
import { AgentAvatar } from "../../components/AgentAvatar";
import { TextLink } from "../../components/Links";
import { Money } from "../../components/Money";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { count, money } from "../../lib/format";
import classes from "./Home.module.css";

export function AgentsAtAGlance({ agents }: { agents: OverviewAgentView[] }) {
  return (
    <section aria-labelledby="agents">
      <Title order={2} id="agents" mb="sm">
        Agents
      </Title>
      <ul className={classes.rows}>
        {agents.map((agent) => (
          <li key={agent.agent_id} className={classes.row}>
            <AgentAvatar name={agent.name} />
            <TextLink to="/agents/$id" params={{ id: agent.agent_id }} className={classes.grow}>
              {agent.name}
            </TextLink>
            {agent.queued_items > 0 && <span className={classes.fact}>{count(agent.queued_items, "item")} queued</span>}
            <Spend agent={agent} />
            <span className={classes.fact}>
              {agent.last_active_at === null ? (
                "not active yet"
              ) : (
                <>
                  active <RelativeTime at={agent.last_active_at} />
                </>
              )}
            </span>
            <StatusBadge kind="agent" status={agent.state} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A budget that is nearly used up is worth an eye before the agent stops. */
const NEARLY = 80;

function Spend({ agent }: { agent: OverviewAgentView }) {
  const { spend_today_micros: spent, budget_micros_per_day: budget } = agent;
  if (budget === null) {
    return (
      <span className={classes.fact}>
        <Money micros={spent} /> today
      </span>
    );
  }
  const share = budget === 0 ? 100 : Math.min(100, (spent / budget) * 100);
  const color = share >= 100 ? "red" : share >= NEARLY ? "yellow" : "gray";
  return (
    <span className={classes.spend}>
      <span className={classes.fact}>
        <Money micros={spent} /> of {money(budget)}
        {share >= 100 && ", used up"}
      </span>
      <Progress
        value={share}
        color={color}
        size={3}
        aria-label={`${agent.name}: ${Math.round(share)} % of today's budget`}
      />
    </span>
  );
}
