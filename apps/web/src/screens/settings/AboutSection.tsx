// What this server is: the facts somebody needs who asks for help or plans an upgrade.
import { Anchor, Paper } from "@mantine/core";
import { $api } from "../../api/client";
import { KeyValue } from "../../components/KeyValue";
import { Loaded } from "../../components/Loaded";
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
      <Loaded
        query={about}
        failure="The facts about this server could not be loaded"
        skeleton={<CardSkeleton height={240} />}
      >
        {(facts) => (
          <Paper p="lg">
            <KeyValue
              items={[
                { label: "Version", value: <span className="mono">{facts.version}</span> },
                { label: "Started", value: <RelativeTime at={facts.started_at} /> },
                { label: "Database", value: facts.database === "sqlite" ? "SQLite" : "PostgreSQL" },
                { label: "Redis", value: facts.redis ? "Connected" : "Not used" },
                {
                  label: "Public address",
                  value: facts.public_url ?? "Not set: channels are polled, because no vendor can call this server",
                },
                { label: "Default model", value: <span className="mono">{facts.default_model}</span> },
                { label: "Sandboxes", value: sandboxText(facts.sandbox) },
                { label: "Encryption keys", value: count(facts.encryption_keys, "key") },
              ]}
            />
          </Paper>
        )}
      </Loaded>
    </Section>
  );
}

function sandboxText({ backend, tier, missing }: { backend: string; tier: string | null; missing: string[] }): string {
  const where = tier === null ? backend : `${backend}, tier ${tier}`;
  return missing.length === 0 ? where : `${where}; missing: ${missing.join(", ")}`;
}
