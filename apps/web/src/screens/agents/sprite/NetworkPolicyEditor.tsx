// What a sprite may reach. Rules are edited together and saved as one, because one rule alone says nothing: the
// closest decides. A field below answers for any host what the rules on the screen would say, before they hold.
import {
  ActionIcon,
  Alert,
  Button,
  Group,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertTriangle, IconCheck, IconPlus, IconTrash, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../../api/client";
import { ErrorState } from "../../../components/ErrorState";
import { UnsavedGuard } from "../../../components/UnsavedGuard";
import type { NetworkAction, NetworkPolicyView, SpriteView } from "../types";
import {
  allows,
  domainProblem,
  normalDomain,
  PRESETS,
  type RuleValue,
  ruleProblems,
  samePolicy,
  withDomains,
} from "./network";
import { TIERS } from "./tiers";
import { useRefreshSprite } from "./useSprite";

type Props = { agentId: string; policy: NetworkPolicyView; tier: SpriteView["tier"] };
type Rule = RuleValue & { key: number };
type Values = { otherwise: NetworkAction; rules: Rule[] };

const ACTIONS = [
  { value: "allow", label: "Allow" },
  { value: "deny", label: "Deny" },
];

let lastKey = 0;

/** Rows keep their identity while they are edited, removed and reordered. */
function keyed(rule: RuleValue): Rule {
  lastKey += 1;
  return { ...rule, key: lastKey };
}

export function NetworkPolicyEditor({ agentId, policy, tier }: Props) {
  const refresh = useRefreshSprite(agentId);
  const save = $api.useMutation("put", "/api/v1/agents/{id}/sprite/network-policy");
  const form = useForm<Values>({
    initialValues: { otherwise: policy.otherwise, rules: policy.rules.map(keyed) },
    validate: (values) => {
      const problems = ruleProblems(values.rules);
      return Object.fromEntries(Object.entries(problems).map(([place, text]) => [`rules.${place}.domain`, text]));
    },
  });
  const { otherwise, rules } = form.getValues();
  const drawn: NetworkPolicyView = {
    otherwise,
    rules: rules.map(({ domain, action }) => ({ domain: normalDomain(domain), action })),
  };
  const isChanged = !samePolicy(drawn, policy);

  const submit = form.onSubmit(async () => {
    const saved = await save.mutateAsync({ params: { path: { id: agentId } }, body: drawn }).catch(() => null);
    if (!saved) return;
    form.setValues({ otherwise: saved.otherwise, rules: saved.rules.map(keyed) });
    await refresh();
  });

  return (
    <form onSubmit={submit}>
      <UnsavedGuard when={isChanged} />
      <Stack gap="lg">
        <Text size="sm" c="dimmed">
          A new sprite reaches nothing. Private addresses and cloud metadata services are never reachable, whatever the
          rules say. A change holds at once, also for open connections.
        </Text>
        {tier !== null && TIERS[tier].network !== null && (
          <Alert
            variant="outline"
            color="yellow"
            icon={<IconAlertTriangle aria-hidden />}
            title="What this host can enforce"
          >
            <Text size="sm">{TIERS[tier].network}</Text>
          </Alert>
        )}
        <Stack gap={4}>
          <Text size="sm" fw={500} id="otherwise">
            Hosts that no rule names
          </Text>
          <SegmentedControl
            aria-labelledby="otherwise"
            data={ACTIONS}
            {...form.getInputProps("otherwise")}
            w="fit-content"
          />
        </Stack>
        <Stack gap="sm">
          <Title order={2} size="h4">
            Rules
          </Title>
          {rules.length === 0 && <Text size="sm">There are none yet.</Text>}
          {rules.map((rule, place) => (
            <Group key={rule.key} gap="sm" align="flex-start" wrap="nowrap">
              <TextInput
                aria-label={`Host of rule ${place + 1}`}
                placeholder="*.example.com"
                flex={1}
                autoCapitalize="off"
                spellCheck={false}
                {...form.getInputProps(`rules.${place}.domain`)}
              />
              <Select
                aria-label={`What rule ${place + 1} says`}
                w={96}
                allowDeselect={false}
                data={ACTIONS}
                {...form.getInputProps(`rules.${place}.action`)}
              />
              <ActionIcon
                variant="default"
                size={36}
                aria-label={`Remove rule ${place + 1}`}
                onClick={() => form.removeListItem("rules", place)}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Group>
          ))}
          <Group gap="sm">
            <Button
              variant="default"
              size="xs"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() =>
                form.insertListItem("rules", keyed({ domain: "", action: otherwise === "allow" ? "deny" : "allow" }))
              }
            >
              Add a rule
            </Button>
            {otherwise === "deny" &&
              PRESETS.map((preset) => (
                <Button
                  key={preset.label}
                  variant="subtle"
                  size="xs"
                  onClick={() => {
                    const known = new Set(rules.map((rule) => normalDomain(rule.domain)));
                    const added = withDomains(rules, preset.domains).filter((rule) => !known.has(rule.domain));
                    form.setFieldValue("rules", [...rules, ...added.map(keyed)]);
                  }}
                >
                  Allow {preset.label}
                </Button>
              ))}
          </Group>
        </Stack>
        <TryHost policy={drawn} />
        {save.isError && <ErrorState error={save.error} title="The policy was not saved" />}
        <Group gap="sm">
          <Button type="submit" disabled={!isChanged} loading={save.isPending}>
            Save the policy
          </Button>
          <Button
            variant="default"
            disabled={!isChanged}
            onClick={() => form.setValues({ otherwise: policy.otherwise, rules: policy.rules.map(keyed) })}
          >
            Discard
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function TryHost({ policy }: { policy: NetworkPolicyView }) {
  const [host, setHost] = useState("");
  const asked = host.trim() !== "" && domainProblem(host) === null;
  const isAllowed = asked && allows(policy, host);
  return (
    <Stack gap={4}>
      <TextInput
        label="Would it reach this host?"
        placeholder="api.github.com"
        maw={360}
        autoCapitalize="off"
        spellCheck={false}
        value={host}
        onChange={(event) => setHost(event.currentTarget.value)}
      />
      <Group gap={4} aria-live="polite" mih={20}>
        {asked && (isAllowed ? <IconCheck size={16} aria-hidden /> : <IconX size={16} aria-hidden />)}
        {asked && <Text size="sm">{isAllowed ? "Yes" : "No"}, as the rules stand on this page.</Text>}
      </Group>
    </Stack>
  );
}
