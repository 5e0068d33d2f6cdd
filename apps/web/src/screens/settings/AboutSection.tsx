// What this server is: the facts somebody needs who asks for help or plans an upgrade.
import { Anchor, Paper } from "@mantine/core";
import { $api } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";
import { KeyValue } from "../../components/KeyValue";
import { RelativeTime } from "../../components/RelativeTime";
import { CardSkeleton } from "../../components/Skeletons";
import { count } from "../../lib/format";
import { Section } from "./Section";

export function AboutSection() {
  const about = $api.useQuery("get", "/api/v1/about");
  return (
    <Section
      title="About"
      description={
        <>
          The API is described at{" "}
          <Anchor href="/docs" inherit underline="always">
            /docs
          </Anchor>
          ; whatever this app does, it does through it.
        </>
      }
    >
      {about.isPending ? (
        <CardSkeleton height={240} />
      ) : about.isError ? (
        <ErrorState title="The facts about this server could not be loaded" error={about.error} retry={about.refetch} />
      ) : (
        <Paper p="lg">
          <KeyValue
            items={[
              { label: "Version", value: <span className="mono">{about.data.version}</span> },
              { label: "Started", value: <RelativeTime at={about.data.started_at} /> },
              { label: "Database", value: about.data.database === "sqlite" ? "SQLite" : "PostgreSQL" },
              { label: "Redis", value: about.data.redis ? "Connected" : "Not used" },
              {
                label: "Public address",
                value: about.data.public_url ?? "Not set: channels are polled, because no vendor can call this server",
              },
              { label: "Default model", value: <span className="mono">{about.data.default_model}</span> },
              { label: "Sandboxes", value: sandboxText(about.data.sandbox) },
              { label: "Encryption keys", value: count(about.data.encryption_keys, "key") },
            ]}
          />
        </Paper>
      )}
    </Section>
  );
}

function sandboxText({ backend, tier, missing }: { backend: string; tier: string | null; missing: string[] }): string {
  const where = tier === null ? backend : `${backend}, tier ${tier}`;
  return missing.length === 0 ? where : `${where}; missing: ${missing.join(", ")}`;
}
