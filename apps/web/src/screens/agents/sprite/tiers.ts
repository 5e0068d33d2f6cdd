// What the tiers of a local sandbox mean to a person who has to trust one.
import type { components } from "../../../api/schema";

type Tier = components["schemas"]["SandboxTier"];

type TierText = {
  label: string;
  help: string;
  /** What of a network policy it cannot keep; null where it keeps all of it. */
  network: string | null;
};

export const TIERS: Record<Tier, TierText> = {
  namespaces: {
    label: "Namespaces",
    help: "It sees no files and no processes of this machine, and reaches the network only through the policy's proxy.",
    network: null,
  },
  landlock: {
    label: "Landlock",
    help: "The kernel refuses it the files of this machine, and it has no network.",
    network: "Sprites here have no network at all: only a policy that denies everything can be saved.",
  },
  plain: {
    label: "Not walled off",
    help: "Commands run with the rights of this server and can read its files. Use it for trials only.",
    network: "Sprites here are not walled off: no policy can be kept, so none can be saved.",
  },
};
