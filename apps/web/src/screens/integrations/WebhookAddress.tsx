// Where the vendor calls this server, or why nobody does.
import { Text } from "@mantine/core";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { CopyId } from "../../components/CopyId";
import { webhookUrl } from "./nextStep";
import type { IntegrationView } from "./types";

export function WebhookAddress({ integration }: { integration: IntegrationView }) {
  const mayRead = useMay("settings", "read");
  const about = $api.useQuery("get", "/api/v1/about", {}, { enabled: mayRead });
  if (!mayRead) return <Text size="sm">Known to admins</Text>;
  if (!about.isSuccess) return null;
  const url = webhookUrl(about.data.public_url, integration.type, integration.id);
  if (url !== null) return <CopyId id={url} of="webhook" whole />;
  return <Text size="sm">This server has no public address (APP_BASE_URL), so it polls instead.</Text>;
}
