// What runs at this moment: what was asked, who works on it, since when and for how much.
import { Text, Title } from "@mantine/core";
import { useOpenTitles } from "../../api/names";
import type { components } from "../../api/schema";
import type { OverviewAgentView } from "../../api/types";
import { AgentAvatar } from "../../components/AgentAvatar";
import { CopyId } from "../../components/CopyId";
import { TextLink } from "../../components/Links";
import { Money } from "../../components/Money";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import classes from "./Home.module.css";

type Props = { jobs: components["schemas"]["JobView"][]; agents: OverviewAgentView[] };

export function RunningJobs({ jobs, agents }: Props) {
  const names = new Map(agents.map((agent) => [agent.agent_id, agent.name]));
  const titles = useOpenTitles();
  return (
    <section aria-labelledby="running">
      <Title order={2} id="running" mb="sm">
        Running now
      </Title>
      {jobs.length === 0 ? (
        <Text size="sm" c="dimmed">
          No job is running. Work that comes in appears here at once.
        </Text>
      ) : (
        <ul className={classes.rows}>
          {jobs.map((job) => {
            const name = names.get(job.agent_id) ?? "An agent you do not see";
            return (
              <li key={job.id} className={classes.row}>
                <AgentAvatar name={name} />
                <TextLink to="/jobs/$id" params={{ id: job.id }} className={classes.grow}>
                  {titles.get(job.work_item_id) ?? "Job"}
                </TextLink>
                <span className={classes.fact}>{name}</span>
                <span className={`${classes.fact} mono`}>{job.model}</span>
                <span className={classes.fact}>
                  <RelativeTime at={job.started_at ?? job.created_at} />
                </span>
                <span className={classes.fact}>
                  <Money micros={job.cost_micros} />
                </span>
                <CopyId id={job.id} of="job" />
                <StatusBadge kind="job" status={job.status} />
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
