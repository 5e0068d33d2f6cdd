// Who may see an agent or an integration: everybody whose role lets them, or these people only. Owners and admins
// see everything and are not listed, so nobody can lock the house.
import { Button, Group, MultiSelect, Radio, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { $api } from "../api/client";
import { useMay } from "../api/session";
import type { PeopleView } from "../api/types";
import { ErrorState } from "./ErrorState";

type Props = {
  /** What is restricted, as in "this agent". */
  what: string;
  people: PeopleView;
  isSaving: boolean;
  onSave: (people: PeopleView) => void;
};

export function PeopleRestriction({ what, people, isSaving, onSave }: Props) {
  const [drawn, setDrawn] = useState(people);
  const mayReadPeople = useMay("people", "read");
  const users = $api.useQuery("get", "/api/v1/users", {}, { enabled: mayReadPeople });
  const seesAll = (role: string) => role === "owner" || role === "admin";
  const choices = users.data?.items.filter((user) => !seesAll(user.role)) ?? [];
  const isChanged =
    drawn.restricted !== people.restricted || [...drawn.user_ids].sort().join() !== [...people.user_ids].sort().join();
  return (
    <Stack gap="lg" maw={560}>
      <Radio.Group
        label={`Who sees ${what}`}
        value={drawn.restricted ? "some" : "all"}
        onChange={(value) => setDrawn({ ...drawn, restricted: value === "some" })}
      >
        <Stack gap="sm" mt={4}>
          <Radio value="all" label="Everybody" description="Everybody with a login, as far as their role goes." />
          <Radio
            value="some"
            label="Only some people"
            description={`For all others ${what} and all that belongs to it does not exist. Owners and admins always see it.`}
          />
        </Stack>
      </Radio.Group>
      {drawn.restricted && (
        <MultiSelect
          label="People"
          placeholder={drawn.user_ids.length === 0 ? "Choose people" : ""}
          description={drawn.user_ids.length === 0 ? "With nobody named, only owners and admins see it." : undefined}
          searchable
          clearable
          disabled={!users.isSuccess}
          nothingFoundMessage="Nobody of that name"
          data={choices.map((user) => ({ value: user.id, label: `${user.name} (${user.role})` }))}
          value={drawn.user_ids}
          onChange={(user_ids) => setDrawn({ ...drawn, user_ids })}
        />
      )}
      {drawn.restricted && users.isSuccess && choices.length === 0 && (
        <Text size="xs" c="dimmed">
          There are no members or viewers yet. Invite them under Settings, People.
        </Text>
      )}
      {users.isError && <ErrorState error={users.error} title="The people could not be listed" />}
      <Group gap="sm">
        <Button disabled={!isChanged} loading={isSaving} onClick={() => onSave(drawn)}>
          Save who sees it
        </Button>
        <Button variant="default" disabled={!isChanged} onClick={() => setDrawn(people)}>
          Discard
        </Button>
      </Group>
    </Stack>
  );
}
