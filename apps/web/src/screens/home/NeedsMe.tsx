// What waits for a person, each kind with its number and the place where it is dealt with, and what today cost.
import { Paper, Text } from "@mantine/core";
import { type Icon, IconCircleCheck, IconCircleX, IconHelpCircle, IconMailOff, IconThumbUp } from "@tabler/icons-react";
import { Link, type LinkProps } from "@tanstack/react-router";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import type { OverviewView } from "../../api/types";
import { TextLink } from "../../components/Links";
import { Money } from "../../components/Money";
import classes from "./Home.module.css";

type Needs = OverviewView["needs"];
type Need = { count: number; label: string; icon: Icon; state: "waiting" | "failed"; link: LinkProps };

function needsOf(needs: Needs, mayDecide: boolean, failedJobs: LinkProps): Need[] {
  const [approval, approvals] = mayDecide
    ? ["approval to decide", "approvals to decide"]
    : ["approval waits for somebody", "approvals wait for somebody"];
  const all: Need[] = [
    {
      count: needs.approvals,
      label: needs.approvals === 1 ? approval : approvals,
      icon: IconThumbUp,
      state: "waiting",
      link: { to: "/approvals", search: { status: "pending" } },
    },
    {
      count: needs.unknown_effects,
      label: needs.unknown_effects === 1 ? "effect that may not have arrived" : "effects that may not have arrived",
      icon: IconHelpCircle,
      state: "waiting",
      link: { to: "/effects", search: { status: "unknown" } },
    },
    {
      count: needs.failed_jobs,
      label: needs.failed_jobs === 1 ? "job failed in 24 hours" : "jobs failed in 24 hours",
      icon: IconCircleX,
      state: "failed",
      link: failedJobs,
    },
    {
      count: needs.dead_letters,
      label: needs.dead_letters === 1 ? "dead letter" : "dead letters",
      icon: IconMailOff,
      state: "failed",
      link: { to: "/effects", search: { status: "failed" } },
    },
  ];
  return all.filter((need) => need.count > 0);
}

const DAY = 86_400_000;

/** Failed jobs are listed by agent. Where several failed, the inbox lists what got no answer for it. */
function useFailedJobs(count: number): LinkProps {
  const query = { status: "failed", limit: 100 } as const;
  const { data } = $api.useQuery("get", "/api/v1/jobs", { params: { query } }, { enabled: count > 0 });
  const lately = data?.items.filter(
    (job) => job.finished_at !== null && Date.now() - Date.parse(job.finished_at) < DAY,
  );
  const agents = new Set(lately?.map((job) => job.agent_id));
  const [id] = agents;
  if (id === undefined || agents.size > 1) return { to: "/inbox", search: { status: "failed" } };
  return { to: "/agents/$id", params: { id }, search: { tab: "activity", status: "failed" } };
}

export function NeedsMe({ needs, spendTodayMicros }: { needs: Needs; spendTodayMicros: number }) {
  const mayDecide = useMay("approvals", "operate");
  const failedJobs = useFailedJobs(needs.failed_jobs);
  const waiting = needsOf(needs, mayDecide, failedJobs);
  const seesCosts = useMay("costs", "read");
  return (
    <section aria-label="What needs you" className={classes.needs}>
      {waiting.length === 0 && (
        <Paper className={classes.need}>
          <IconCircleCheck size={20} stroke={1.75} className={classes.needIcon} data-state="done" aria-hidden />
          <Text size="sm">Nothing waits for you.</Text>
        </Paper>
      )}
      {waiting.map(({ count, label, icon: Shown, state, link }) => (
        <Paper key={label} renderRoot={(props) => <Link {...link} {...props} />} className={classes.need}>
          <Shown size={20} stroke={1.75} className={classes.needIcon} data-state={state} aria-hidden />
          <span>
            <span className={classes.number}>{count}</span> {label}
          </span>
        </Paper>
      ))}
      {seesCosts && (
        <Paper className={classes.need}>
          <span>
            <span className={classes.number}>
              <Money micros={spendTodayMicros} />
            </span>{" "}
            spent today
          </span>
          <TextLink to="/costs" size="sm" className={classes.aside}>
            Costs
          </TextLink>
        </Paper>
      )}
    </section>
  );
}
