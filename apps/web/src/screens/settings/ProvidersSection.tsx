// Where models come from: the providers with their keys (which are written and never read back), whether they
// answer, and what their models cost.
import { Button, Stack } from "@mantine/core";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import type { ProviderView } from "../../api/types";
import { EmptyState } from "../../components/EmptyState";
import { Loaded } from "../../components/Loaded";
import { ListSkeleton } from "../../components/Skeletons";
import { ModelList } from "./ModelList";
import { ProviderForm } from "./ProviderForm";
import { ProviderRow } from "./ProviderRow";
import { Rows, Section } from "./Section";

export function ProvidersSection() {
  const providers = $api.useQuery("get", "/api/v1/providers");
  const mayChange = useMay("settings", "administer");
  const [edited, setEdited] = useState<ProviderView | "new" | null>(null);
  const add = mayChange && (
    <Button leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setEdited("new")}>
      Add provider
    </Button>
  );
  return (
    <Stack gap={32}>
      <Section
        title="Providers"
        description="A provider answers for the models whose names begin with its name. Those of the environment are set where the server is started."
        action={add}
      >
        <Loaded query={providers} failure="The providers could not be loaded" skeleton={<ListSkeleton rows={3} />}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState icon={IconPlugConnected} title="No provider yet" action={add}>
                Agents answer with the built-in demo model until you add a provider with your key.
              </EmptyState>
            ) : (
              <Rows label="Providers">
                {items.map((provider) => (
                  <ProviderRow key={provider.name} provider={provider} onEdit={() => setEdited(provider)} />
                ))}
              </Rows>
            )
          }
        </Loaded>
      </Section>
      <ModelList />
      {edited !== null && <ProviderForm provider={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </Stack>
  );
}
