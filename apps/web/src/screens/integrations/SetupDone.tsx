// The end of a set-up: the test against the real thing, and the greeting.
import { Group, Stack } from "@mantine/core";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink } from "../../components/Links";
import { CardSkeleton } from "../../components/Skeletons";
import { ConnectionTest } from "./ConnectionTest";
import { useIntegration, useSaveIntegration } from "./useIntegration";

export function SetupDone({ id }: { id: string }) {
  const integration = useIntegration(id);
  const { save } = useSaveIntegration(id);
  if (integration.isPending) return <CardSkeleton />;
  if (integration.isError) return <ErrorState error={integration.error} title="It could not be loaded" />;
  return (
    <Stack gap="lg">
      <ConnectionTest atOnce integration={integration.data} onEnable={() => void save({ enabled: true })} />
      <Group>
        <ButtonLink to="/integrations/$id" params={{ id }} variant="default">
          Go to {integration.data.name}
        </ButtonLink>
      </Group>
    </Stack>
  );
}
