// Where the money went, day by day.

import { lazy } from "react";
import type { CostRowView } from "../../api/types";
import { Money } from "../../components/Money";
import { Figure } from "./Figure";
import { NumberTable } from "./NumberTable";
import { daysOf, type Range } from "./range";
import { stack } from "./series";

const CostChart = lazy(() => import("./charts").then((charts) => ({ default: charts.CostChart })));

export function CostPerDay({ items, range }: { items: CostRowView[]; range: Range }) {
  const { series, rows } = stack(items, daysOf(range));
  const sums = rows.map((row) => series.reduce((total, { name }) => total + Number(row[name]), 0));
  return (
    <Figure
      title="Cost per day"
      empty={series.length === 0 ? "Nothing was spent in these days." : null}
      chart={<CostChart rows={rows} series={series} />}
      table={
        <NumberTable
          label="Cost per day"
          columns={["Day", ...series.map(({ label }) => label), "All"]}
          rows={rows
            .map((row, index) => ({
              key: row.day,
              cells: [
                row.day,
                ...series.map(({ name }) => <Money key={name} micros={Number(row[name])} />),
                <Money key="all" micros={sums[index] ?? 0} />,
              ],
            }))
            .reverse()}
        />
      }
    />
  );
}
