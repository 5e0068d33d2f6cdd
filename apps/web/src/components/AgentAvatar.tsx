// The face of an agent: its initials, so that the eye finds the same agent again. Neutral, because colour means state.
import { Avatar } from "@mantine/core";

export type AgentAvatarProps = {
  name: string;
  size?: number;
};

export function AgentAvatar({ name, size = 24 }: AgentAvatarProps) {
  const words = name.split(/[\s_-]+/).filter((word) => word !== "");
  const initials = words.slice(0, 2).map((word) => [...word][0]?.toUpperCase() ?? "");
  return (
    <Avatar size={size} radius="sm" variant="default" aria-hidden title={name}>
      {initials.join("")}
    </Avatar>
  );
}
