// A network policy to read, for those who may not change it.
import { List, Stack, Text } from "@mantine/core";
import type { NetworkPolicyView } from "../types";
import { summaryOf } from "./network";

export function NetworkPolicyText({ policy }: { policy: NetworkPolicyView }) {
  return (
    <Stack gap="md">
      <Text size="sm">It reaches: {summaryOf(policy).toLowerCase()}. Admins can change that.</Text>
      {policy.rules.length > 0 && (
        <List size="sm" spacing="xs">
          {policy.rules.map((rule) => (
            <List.Item key={`${rule.domain} ${rule.action}`}>
              <span className="mono">{rule.domain}</span>: {rule.action === "allow" ? "allowed" : "denied"}
            </List.Item>
          ))}
        </List>
      )}
      <Text size="sm">Hosts that no rule names: {policy.otherwise === "allow" ? "allowed" : "denied"}.</Text>
    </Stack>
  );
}
