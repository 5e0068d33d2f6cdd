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
  const problem = integration.error !== null && <ErrorState error={integration.error} title="It could not be loaded" />;
  if (integration.data === undefined) return problem || <CardSkeleton />;
  return (
    <Stack gap="lg">
      {problem}
      <ConnectionTest atOnce integration={integration.data} onEnable={() => void save({ enabled: true })} />
      <Group>
        <ButtonLink to="/integrations/$id" params={{ id }} variant="default">
          Go to {integration.data.name}
        </ButtonLink>
      </Group>
    </Stack>
  );
}
