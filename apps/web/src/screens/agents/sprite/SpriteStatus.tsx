// The facts about an agent's sprite in one strip: what it does now, how well it is walled off, how much room it
// has left and what it may reach. The same whichever part of the sprite is looked at below.
import { Anchor, Button, Collapse, Group, List, Progress, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useState } from "react";
import { StatusBadge } from "../../../components/StatusBadge";
import { bytes } from "../../../lib/format";
import type { SpriteView } from "../types";
import { summaryOf } from "./network";
import { TIERS } from "./tiers";

type Props = { sprite: SpriteView; isRefreshing: boolean; onRefresh: () => void };

export function SpriteStatus({ sprite, isRefreshing, onRefresh }: Props) {
  const [showsMissing, setShowsMissing] = useState(false);
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="lg">
        <Fact label="State">
          <StatusBadge status={sprite.provisioned ? sprite.status : "cold"} kind="sprite" />
        </Fact>
        <Fact label="Walls">
          <Text size="sm">{sprite.tier ? TIERS[sprite.tier].label : "At Sprites"}</Text>
        </Fact>
        <Fact label="Network">
          <Text size="sm">{summaryOf(sprite.network_policy)}</Text>
        </Fact>
        <Fact label="Disk">
          <Disk used={sprite.disk_bytes} limit={sprite.disk_limit_bytes} />
        </Fact>
      </SimpleGrid>
      <Group justify="space-between" align="flex-start" gap="md">
        <Text size="xs" c="dimmed" maw={560}>
          {sprite.tier
            ? TIERS[sprite.tier].help
            : "It is a computer at Sprites; how it is walled off is theirs to say."}{" "}
          {sprite.missing.length > 0 && (
            <Anchor
              component="button"
              type="button"
              size="xs"
              aria-expanded={showsMissing}
              onClick={() => setShowsMissing(!showsMissing)}
            >
              {showsMissing ? "Hide what this host lacks" : `What this host lacks (${sprite.missing.length})`}
            </Anchor>
          )}
        </Text>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={14} aria-hidden />}
          loading={isRefreshing}
          onClick={onRefresh}
        >
          Look again
        </Button>
      </Group>
      <Collapse expanded={showsMissing}>
        <List size="sm" spacing="xs">
          {sprite.missing.map((lack) => (
            <List.Item key={lack}>{lack.charAt(0).toUpperCase() + lack.slice(1)}</List.Item>
          ))}
        </List>
      </Collapse>
    </Stack>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <Stack gap="xs" align="flex-start">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      {children}
    </Stack>
  );
}

function Disk({ used, limit }: { used: number | null; limit: number | null }) {
  if (used === null) return <Text size="sm">Not said</Text>;
  if (limit === null || limit === 0) return <Text size="sm">{bytes(used)}</Text>;
  const share = Math.min(100, (used / limit) * 100);
  return (
    <Stack gap={4}>
      <Text size="sm">
        {bytes(used)} of {bytes(limit)}
      </Text>
      <Progress
        value={share}
        size="xs"
        color={share >= 100 ? "red" : share > 85 ? "yellow" : "gray"}
        aria-label={`Disk ${Math.round(share)} percent full`}
      />
    </Stack>
  );
}
