// What the URL of an agent's page may say: a tab, and a place in it. Anything else is dropped, so that an old or
// mistyped link still opens the page.

export const AGENT_TABS = ["overview", "instructions", "behaviour", "sprite", "activity", "access"] as const;
export type AgentTab = (typeof AGENT_TABS)[number];

export const SPRITE_PARTS = ["files", "terminal", "running", "checkpoints", "network"] as const;
export type SpritePart = (typeof SPRITE_PARTS)[number];

const JOB_STATUSES = ["queued", "running", "waiting", "completed", "failed", "cancelled"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export type SpritePlace = { part?: SpritePart; path?: string; file?: string };
export type AgentSearch = SpritePlace & { tab?: AgentTab; status?: JobStatus };

type Words = { [Name in keyof AgentSearch]?: string };

export function agentSearch(words: Words): AgentSearch {
  return {
    ...oneOf("tab", AGENT_TABS, words.tab),
    ...oneOf("part", SPRITE_PARTS, words.part),
    ...oneOf("status", JOB_STATUSES, words.status),
    ...(words.path === undefined ? {} : { path: words.path }),
    ...(words.file === undefined ? {} : { file: words.file }),
  };
}

function oneOf<Name extends string, Word extends string>(
  name: Name,
  known: readonly Word[],
  value: string | undefined,
): { [Key in Name]?: Word } {
  const word = known.find((one) => one === value);
  return word === undefined ? {} : ({ [name]: word } as { [Key in Name]?: Word });
}
