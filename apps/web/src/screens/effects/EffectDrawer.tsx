// One effect in full, beside the list: what goes where, why it stands so, what can be done, and the way to the job and
// the conversation it belongs to.
import { Group, Stack, Text } from "@mantine/core";
import { $api } from "../../api/client";
import { CopyId } from "../../components/CopyId";
import { DetailDrawer } from "../../components/DetailDrawer";
import { ErrorState } from "../../components/ErrorState";
import { KeyValue } from "../../components/KeyValue";
import { TextLink } from "../../components/Links";
import { Markdown } from "../../components/Markdown";
import { RelativeTime } from "../../components/RelativeTime";
import { CardSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";
import { EffectChoices } from "./EffectChoices";
import classes from "./EffectDrawer.module.css";
import { actionLabel, type EffectView, standing } from "./standing";

type EffectDrawerProps = {
  id: string;
  /** The row of the list, when it is there; else the effect is asked for. */
  loaded: EffectView | undefined;
  integration: string | undefined;
  onClose: () => void;
};

export function EffectDrawer({ id, loaded, integration, onClose }: EffectDrawerProps) {
  const asked = $api.useQuery(
    "get",
    "/api/v1/effects/{id}",
    { params: { path: { id } } },
    { enabled: loaded === undefined },
  );
  const effect = loaded ?? asked.data;
  return (
    <DetailDrawer title={effect ? actionLabel(effect.action) : "Effect"} onClose={onClose}>
      {effect ? (
        <EffectDetail effect={effect} integration={integration} />
      ) : asked.isError ? (
        <ErrorState title="The effect could not be loaded" error={asked.error} />
      ) : (
        <CardSkeleton height={240} />
      )}
    </DetailDrawer>
  );
}

function EffectDetail({ effect, integration }: { effect: EffectView; integration: string | undefined }) {
  const { title, why } = standing(effect);
  return (
    <Stack gap="lg">
      <Stack gap="sm" role="status">
        <Group gap="sm">
          <StatusBadge kind="effect" status={effect.status} />
          {title && <Text fw={600}>{title}</Text>}
        </Group>
        {why && <Text size="sm">{why}</Text>}
      </Stack>
      <EffectChoices effect={effect} />
      {"markdown" in effect.action && (
        <div className={classes.text}>
          <Markdown text={effect.action.markdown} />
        </div>
      )}
      <KeyValue
        items={[
          {
            label: "Through",
            value: (
              <TextLink to="/integrations/$id" params={{ id: effect.integration_id }}>
                {integration ?? "the integration"}
              </TextLink>
            ),
          },
          {
            label: "Belongs to",
            value: (
              <Group gap="md">
                <TextLink to="/jobs/$id" params={{ id: effect.job_id }}>
                  Job
                </TextLink>
                <TextLink to="/inbox" search={{ conversation_id: effect.conversation_id }}>
                  Conversation
                </TextLink>
              </Group>
            ),
          },
          { label: "Written down", value: <RelativeTime at={effect.created_at} /> },
          ...(effect.status === "pending" && effect.attempts > 0
            ? [{ label: "Next attempt", value: <RelativeTime at={effect.next_attempt_at} /> }]
            : []),
          ...(effect.settled_at === null
            ? [{ label: "Of no use after", value: <RelativeTime at={effect.expires_at} /> }]
            : [{ label: "Settled", value: <RelativeTime at={effect.settled_at} /> }]),
          { label: "Attempts", value: <span className="tabular">{effect.attempts}</span> },
          ...(effect.provider_reference
            ? [{ label: "Known there as", value: <span className="mono">{effect.provider_reference}</span> }]
            : []),
          { label: "Id", value: <CopyId id={effect.id} of="effect" /> },
        ]}
      />
    </Stack>
  );
}
