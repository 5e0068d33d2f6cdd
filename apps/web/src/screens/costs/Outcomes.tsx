// What one gets for the money: how jobs end and how long people wait for a reply.

import { lazy } from "react";
import type { OutcomesView } from "../../api/types";
import { duration } from "../../lib/format";
import { Figure } from "./Figure";
import { NumberTable } from "./NumberTable";
import { daysOf, type Range } from "./range";

const OutcomeChart = lazy(() => import("./charts").then((charts) => ({ default: charts.OutcomeChart })));
const ReplyChart = lazy(() => import("./charts").then((charts) => ({ default: charts.ReplyChart })));

type Day = OutcomesView["items"][number];

export function Outcomes({ items, range }: { items: Day[]; range: Range }) {
  const known = new Map(items.map((item) => [item.day, item]));
  const days = daysOf(range).map((day) => known.get(day) ?? nothingOn(day));
  const hasJobs = items.some(({ completed, failed, cancelled }) => completed + failed + cancelled > 0);
  const replied = days.filter(({ reply_p50_seconds }) => reply_p50_seconds !== null);
  return (
    <>
      <Figure
        title="Jobs by outcome"
        empty={hasJobs ? null : "No job ended in these days."}
        chart={<OutcomeChart days={days} />}
        table={
          <NumberTable
            label="Jobs by outcome"
            columns={["Day", "Completed", "Failed", "Cancelled"]}
            rows={[...days].reverse().map(({ day, completed, failed, cancelled }) => ({
              key: day,
              cells: [day, completed, failed, cancelled],
            }))}
          />
        }
      />
      <Figure
        title="Time to reply"
        empty={replied.length > 0 ? null : "Nobody got a reply in these days."}
        chart={<ReplyChart days={days} />}
        table={
          <NumberTable
            label="Time to reply"
            columns={["Day", "Half got it within", "95 of 100 within"]}
            rows={[...replied].reverse().map(({ day, reply_p50_seconds, reply_p95_seconds }) => ({
              key: day,
              cells: [day, span(reply_p50_seconds), span(reply_p95_seconds)],
            }))}
          />
        }
      />
    </>
  );
}

function nothingOn(day: string): Day {
  return { day, completed: 0, failed: 0, cancelled: 0, reply_p50_seconds: null, reply_p95_seconds: null };
}

function span(seconds: number | null): string {
  return seconds === null ? "" : duration(seconds * 1000);
}
