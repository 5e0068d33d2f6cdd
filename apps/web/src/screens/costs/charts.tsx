// The charts themselves, in a chunk of their own because the library that draws them is large. Colours of outcomes are
// those of states; series that are no state are shades of the accent and of grey, other ones in the dark.
import type { OutcomesView } from "../../api/types";
import "@mantine/charts/styles.css";
import { BarChart, LineChart } from "@mantine/charts";
import { duration, money } from "../../lib/format";
import type { ChartRow, Series } from "./series";

const HEIGHT = 260;

type Days = { days: OutcomesView["items"] };

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const xAxis = { tickFormatter: (day: string) => DAY.format(new Date(day)), minTickGap: 24 };
const still = { isAnimationActive: false };

export function CostChart({ rows, series }: { rows: ChartRow[]; series: Series[] }) {
  return (
    <BarChart
      h={HEIGHT}
      data={rows}
      dataKey="day"
      type="stacked"
      withLegend={series.length > 1}
      series={series.map(({ name, label }, index) => ({ name, label, color: `var(--series-${index + 1})` }))}
      valueFormatter={money}
      xAxisProps={xAxis}
      yAxisProps={{ width: 72 }}
      barProps={still}
      maxBarWidth={32}
    />
  );
}

export function OutcomeChart({ days }: Days) {
  return (
    <BarChart
      h={HEIGHT}
      data={days}
      dataKey="day"
      type="stacked"
      withLegend
      series={[
        { name: "completed", label: "Completed", color: "var(--state-done)" },
        { name: "failed", label: "Failed", color: "var(--state-failed)" },
        { name: "cancelled", label: "Cancelled", color: "var(--state-idle)" },
      ]}
      xAxisProps={xAxis}
      yAxisProps={{ width: 72, allowDecimals: false }}
      barProps={still}
      maxBarWidth={32}
    />
  );
}

export function ReplyChart({ days }: Days) {
  return (
    <LineChart
      h={HEIGHT}
      data={days}
      dataKey="day"
      withLegend
      connectNulls={false}
      series={[
        { name: "reply_p50_seconds", label: "Half got it within", color: "var(--series-2)" },
        { name: "reply_p95_seconds", label: "95 of 100 within", color: "var(--series-5)", strokeDasharray: "4 4" },
      ]}
      valueFormatter={(seconds) => duration(seconds * 1000)}
      xAxisProps={xAxis}
      yAxisProps={{ width: 72 }}
      lineProps={still}
    />
  );
}
