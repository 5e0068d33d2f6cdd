// Who may answer what an agent asks: everybody from a role upwards, and people who are named beside it. Whoever asked
// the agent for something never answers for themselves; the server sees to that.
import { MultiSelect, Select, Stack } from "@mantine/core";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import type { AgentView } from "./types";

type Approvers = AgentView["approvers"];
type Props = { value: Approvers; onChange: (value: Approvers) => void };

const ROLES = [
  { value: "member", label: "Members, admins and owners" },
  { value: "admin", label: "Admins and owners" },
  { value: "owner", label: "Owners" },
];

export function ApproversField({ value, onChange }: Props) {
  const mayReadPeople = useMay("people", "read");
  const users = $api.useQuery("get", "/api/v1/users", {}, { enabled: mayReadPeople });
  return (
    <Stack gap="sm">
      <Select
        label="Who may approve"
        description="Its replies that wait, and what it asks for. Nobody approves what they asked for themselves."
        allowDeselect={false}
        data={ROLES}
        value={value.min_role}
        onChange={(role) => onChange({ ...value, min_role: (role ?? "member") as Approvers["min_role"] })}
      />
      {value.min_role !== "member" && (
        <MultiSelect
          label="And these people"
          searchable
          clearable
          disabled={!users.isSuccess}
          nothingFoundMessage="Nobody of that name"
          data={users.data?.items.map((user) => ({ value: user.id, label: `${user.name} (${user.role})` })) ?? []}
          value={value.user_ids}
          onChange={(user_ids) => onChange({ ...value, user_ids })}
        />
      )}
    </Stack>
  );
}
