// The states an effect can be looked at by; those that wait for a person carry their number.
import { UnstyledButton } from "@mantine/core";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import classes from "./StateTabs.module.css";

type StateTabsProps = { status: string | undefined; onChange: (status: string | undefined) => void };

export function StateTabs({ status, onChange }: StateTabsProps) {
  const mayRead = useMay("work", "read");
  const overview = $api.useQuery("get", "/api/v1/overview", {}, { enabled: mayRead });
  const needs = overview.data?.needs;
  const tabs: { status: string | undefined; label: string; number?: number }[] = [
    { status: undefined, label: "All" },
    { status: "held", label: "Held" },
    { status: "unknown", label: "Unknown", number: needs?.unknown_effects },
    { status: "failed", label: "Dead letters", number: needs?.dead_letters },
    { status: "pending", label: "Pending" },
    { status: "sent", label: "Sent" },
    { status: "cancelled", label: "Cancelled" },
  ];
  return (
    <nav aria-label="State of the effects" className={classes.tabs}>
      {tabs.map((tab) => (
        <UnstyledButton
          key={tab.label}
          className={classes.tab}
          aria-current={tab.status === status ? "page" : undefined}
          onClick={() => onChange(tab.status)}
        >
          {tab.label}
          {tab.number !== undefined && tab.number > 0 && <span className={classes.number}>{tab.number}</span>}
        </UnstyledButton>
      ))}
    </nav>
  );
}
