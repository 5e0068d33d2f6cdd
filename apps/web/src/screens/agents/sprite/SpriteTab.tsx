// The agent's computer: its state on top, below it one part at a time. The part is in the URL.
import { NativeSelect, SegmentedControl, Stack } from "@mantine/core";
import { IconDeviceLaptop } from "@tabler/icons-react";
import { useMay } from "../../../api/session";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorState } from "../../../components/ErrorState";
import { PageSkeleton } from "../../../components/Skeletons";
import { useLive } from "../../../live/useLive";
import { SPRITE_PARTS, type SpritePart, type SpritePlace } from "../agentSearch";
import type { AgentView } from "../types";
import { NetworkPolicyEditor } from "./NetworkPolicyEditor";
import { NetworkPolicyText } from "./NetworkPolicyText";
import { SpriteCheckpoints } from "./SpriteCheckpoints";
import { SpriteFiles } from "./SpriteFiles";
import { SpriteProcesses } from "./SpriteProcesses";
import { SpriteStatus } from "./SpriteStatus";
import { SpriteTerminal } from "./SpriteTerminal";
import { useRefreshSprite, useSprite } from "./useSprite";

const LABELS: Record<SpritePart, string> = {
  files: "Files",
  terminal: "Terminal",
  running: "Running",
  checkpoints: "Checkpoints",
  network: "Network",
};

const PARTS = SPRITE_PARTS.map((value) => ({ value, label: LABELS[value] }));

type Props = { agent: AgentView; place: SpritePlace; onPlace: (place: SpritePlace) => void };

export function SpriteTab({ agent, place, onPlace }: Props) {
  const sprite = useSprite(agent.id);
  const refresh = useRefreshSprite(agent.id);
  const mayOperate = useMay("sprites", "operate");
  // Running a command is work; what ends processes or changes the sprite itself is for admins.
  const mayAdminister = useMay("sprites", "administer");
  // A job that starts or ends in it opens or closes a shell and may leave files and processes behind.
  useLive((event) => {
    if (event.name === "job.status" && event.payload.agent_id === agent.id) void refresh();
  });
  const problem = sprite.error !== null && (
    <ErrorState error={sprite.error} title="The sprite could not be looked at" retry={sprite.refetch} />
  );
  if (sprite.data === undefined) return problem || <PageSkeleton />;
  const part = place.part ?? "files";
  const isNew = !sprite.data.provisioned;
  return (
    <Stack gap="xl">
      {problem}
      <SpriteStatus sprite={sprite.data} isRefreshing={sprite.isFetching} onRefresh={refresh} />
      <SegmentedControl
        visibleFrom="sm"
        aria-label="Part of the sprite"
        value={part}
        onChange={(value) => onPlace({ part: value as SpritePart })}
        data={PARTS}
        w="fit-content"
      />
      <NativeSelect
        hiddenFrom="sm"
        aria-label="Part of the sprite"
        value={part}
        onChange={(event) => onPlace({ part: event.currentTarget.value as SpritePart })}
        data={PARTS}
      />
      {part === "files" &&
        (isNew ? (
          <EmptyState icon={IconDeviceLaptop} title="This sprite was never used">
            It is made when {agent.name} first needs a file or a command. To make it now, run a command in the terminal.
          </EmptyState>
        ) : (
          <SpriteFiles
            agentId={agent.id}
            path={place.path}
            file={place.file}
            onOpen={(next) => onPlace({ part: "files", ...next })}
          />
        ))}
      {part === "terminal" && <SpriteTerminal agentId={agent.id} mayRun={mayOperate} />}
      {part === "running" && <SpriteProcesses agentId={agent.id} sprite={sprite.data} mayStop={mayAdminister} />}
      {part === "checkpoints" && (
        <SpriteCheckpoints
          agentId={agent.id}
          agentName={agent.name}
          checkpoints={sprite.data.checkpoints}
          mayChange={mayAdminister}
        />
      )}
      {part === "network" &&
        (mayAdminister ? (
          <NetworkPolicyEditor agentId={agent.id} policy={sprite.data.network_policy} tier={sprite.data.tier} />
        ) : (
          <NetworkPolicyText policy={sprite.data.network_policy} />
        ))}
    </Stack>
  );
}
