// Turns rows of (day, key, cost) into what a stacked chart wants: one row per day with a column per key. The dearest
// few have a colour of their own and the rest is one, because more colours than that cannot be told apart.

export type DailyCost = { day: string | null; key: string | null; label: string; cost_micros: number };
export type Series = { name: string; label: string };
export type ChartRow = { day: string } & Record<string, number | string>;

export const MOST_SERIES = 6;
const OTHERS = "others";

export function stack(items: readonly DailyCost[], days: readonly string[]): { series: Series[]; rows: ChartRow[] } {
  const totals = new Map<string | null, { label: string; micros: number }>();
  for (const item of items) {
    const micros = totals.get(item.key)?.micros ?? 0;
    totals.set(item.key, { label: item.label, micros: micros + item.cost_micros });
  }
  const dearest = [...totals].filter(([, total]) => total.micros > 0).sort(([, a], [, b]) => b.micros - a.micros);
  const isMany = dearest.length > MOST_SERIES;
  // What the server left together has no key, and belongs to the rest here too.
  const shown = isMany ? dearest.filter(([key]) => key !== null).slice(0, MOST_SERIES - 1) : dearest;
  // Names of their own: keys hold dots and slashes, which the chart reads as paths into an object.
  const series = shown.map(([, { label }], index) => ({ name: `series${index}`, label }));
  if (isMany) series.push({ name: OTHERS, label: "All others" });

  const names = new Map(shown.map(([key], index) => [key, `series${index}`]));
  const rows = new Map<string, ChartRow>(days.map((day) => [day, emptyRow(day, series)]));
  for (const item of items) {
    const row = item.day === null ? undefined : rows.get(item.day);
    if (!row || item.cost_micros === 0) continue;
    const name = names.get(item.key) ?? OTHERS;
    row[name] = Number(row[name] ?? 0) + item.cost_micros;
  }
  return { series, rows: [...rows.values()] };
}

function emptyRow(day: string, series: readonly Series[]): ChartRow {
  return { day, ...Object.fromEntries(series.map(({ name }) => [name, 0])) };
}
