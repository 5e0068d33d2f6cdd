// Facts about one thing, name beside value.
import type { ReactNode } from "react";
import classes from "./KeyValue.module.css";

export type KeyValueProps = { items: { label: string; value: ReactNode }[] };

export function KeyValue({ items }: KeyValueProps) {
  return (
    <dl className={classes.list}>
      {items.map((item) => (
        <div key={item.label} className={classes.row}>
          <dt className={classes.label}>{item.label}</dt>
          <dd className={classes.value}>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}
