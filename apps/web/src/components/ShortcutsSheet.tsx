// What the keyboard can do.
import { Group, Kbd, Modal, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { GO_TO, OTHER_KEYS } from "../lib/keys";
import type { Place } from "./places";

type Props = { places: readonly Place[]; close: () => void };

export default function ShortcutsSheet({ places, close }: Props) {
  const goTo = GO_TO.filter((one) => places.some((place) => place.to === one.to));
  return (
    <Modal opened onClose={close} title="Keyboard shortcuts" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl">
        <Stack gap="sm">
          <Title order={3}>Go to</Title>
          {goTo.map((one) => (
            <Shortcut key={one.key} keys={["g", one.key]} label={one.label} />
          ))}
        </Stack>
        <Stack gap="sm">
          <Title order={3}>Everywhere</Title>
          {OTHER_KEYS.map((one) => (
            <Shortcut key={one.label} keys={one.keys} label={one.label} />
          ))}
        </Stack>
      </SimpleGrid>
    </Modal>
  );
}

function Shortcut({ keys, label }: { keys: readonly string[]; label: string }) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm">{label}</Text>
      <Group gap={4} wrap="nowrap">
        {keys.map((key) => (
          <Kbd key={key} size="xs">
            {key}
          </Kbd>
        ))}
      </Group>
    </Group>
  );
}
