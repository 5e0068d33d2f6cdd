// What the screens know of each type of channel: one entry per word of the API's ChannelType. The set-up steps,
// the settings form and the test panel are drawn from it, so a new type is a new entry and no new screen. The
// compiler asks for the entry as soon as the API knows the word.
import type { ChannelType } from "./types";

type Common = {
  name: string;
  label: string;
  help: string;
  placeholder?: string;
  /** Shown folded away: most people never need it. */
  advanced?: boolean;
};

export type Field =
  | (Common & {
      kind: "secret";
      required: boolean;
      /** The server makes one when it is left out, and a new one when it is removed. */
      generated?: boolean;
    })
  | (Common & { kind: "text"; fallback: string })
  | (Common & { kind: "switch"; fallback: boolean })
  | (Common & {
      kind: "choice";
      fallback: string;
      options: readonly { value: string; label: string; help: string }[];
    })
  /** null: everything; a list: these only. */
  | (Common & { kind: "list"; everything: string; these: string; none: string });

export type SetupStep = {
  title: string;
  /** What to do elsewhere before the fields can be filled in, one sentence each; `backticks` mark what to type. */
  instructions: readonly string[];
  link?: { label: string; href: string };
  fields: readonly string[];
};

/** `place` is a page of this app, `href` one elsewhere. */
type Hello = { text: string; href: string | null; place?: "/chat" };

export type ChannelDescriptor = {
  label: string;
  summary: string;
  /** Made by the server, and neither created, changed nor deleted by people. */
  builtIn: boolean;
  suggestedName: string;
  fields: readonly Field[];
  /** At most two; the connection test is the last step of every set-up. */
  steps: readonly SetupStep[];
  /** Whether other servers call ours, so that an address can be shown. */
  hasWebhook: (config: Record<string, unknown>) => boolean;
  /** Where a person says hello once it works; `account` is what the test answered. */
  hello: (account: string | null) => Hello;
};

const TELEGRAM: ChannelDescriptor = {
  label: "Telegram",
  summary: "People write to a bot, in private or in groups; agents answer through it.",
  builtIn: false,
  suggestedName: "Telegram bot",
  hasWebhook: (config) => config.mode === "webhook",
  hello: (account) => {
    const isName = account !== null && /^@\w+$/.test(account);
    return {
      text: isName
        ? `Open ${account} in Telegram, press Start and say hello.`
        : "Open your bot in Telegram, press Start and say hello.",
      href: isName ? `https://t.me/${account.slice(1)}` : null,
    };
  },
  fields: [
    {
      kind: "secret",
      name: "bot_token",
      label: "Bot token",
      help: "It is a password: whoever has it is the bot. Stored encrypted and never shown again.",
      placeholder: "123456789:AAE…",
      required: true,
    },
    {
      kind: "choice",
      name: "mode",
      label: "How messages come in",
      help: "",
      fallback: "polling",
      options: [
        {
          value: "polling",
          label: "Polling",
          help: "This server asks Telegram. Works everywhere: behind a router, on a laptop, without a certificate.",
        },
        {
          value: "webhook",
          label: "Webhook",
          help: "Telegram calls this server. Needs a public https address (APP_BASE_URL); without one it polls all the same.",
        },
      ],
    },
    {
      kind: "list",
      name: "allowed_chat_ids",
      label: "Who may write to it",
      help: "Ids of chats, or @names of public groups. A private chat has the person's id; ids of groups are negative.",
      placeholder: "123456789, -1001234567890 or @group",
      everything: "Anybody who finds the bot",
      these: "Only these chats",
      none: "With an empty list every message is ignored.",
    },
    {
      kind: "switch",
      name: "allow_bots",
      label: "Take in messages of other bots",
      help: "The loop limits of each agent bound how far it goes along with them.",
      fallback: false,
      advanced: true,
    },
    {
      kind: "text",
      name: "api_base_url",
      label: "Address of the Bot API",
      help: "Change it only for a Bot API server of your own.",
      fallback: "https://api.telegram.org",
      advanced: true,
    },
    {
      kind: "secret",
      name: "webhook_secret",
      label: "Webhook secret",
      help: "Proves that a webhook call is Telegram's. One is made for you; nobody needs to know it.",
      required: false,
      generated: true,
      advanced: true,
    },
  ],
  steps: [
    {
      title: "Bot token",
      instructions: [
        "Open @BotFather in Telegram and send `/newbot`.",
        "Choose a name, which people see, and a username, which must end in `bot`.",
        "Copy the token it answers with and paste it here.",
      ],
      link: { label: "Open @BotFather", href: "https://t.me/BotFather" },
      fields: ["bot_token"],
    },
    {
      title: "Messages",
      instructions: [],
      fields: ["mode", "allowed_chat_ids", "allow_bots", "api_base_url"],
    },
  ],
};

const WEB: ChannelDescriptor = {
  label: "Web",
  summary: "Chat in this app, and work handed in through the API. Built in: there is nothing to set up.",
  builtIn: true,
  suggestedName: "Web",
  hasWebhook: () => false,
  hello: () => ({ text: "Open Chat and write to any agent.", href: null, place: "/chat" }),
  fields: [],
  steps: [],
};

export const CHANNELS: Record<ChannelType, ChannelDescriptor> = {
  telegram: TELEGRAM,
  web: WEB,
};

/** For a word that this build of the app does not know yet, say after the server was updated under it. */
const UNKNOWN: Omit<ChannelDescriptor, "label"> = {
  summary: "This version of the app does not know this type. Reload the page.",
  builtIn: true,
  suggestedName: "",
  hasWebhook: () => false,
  hello: () => ({ text: "", href: null }),
  fields: [],
  steps: [],
};

export function channelOf(type: string): ChannelDescriptor {
  return type in CHANNELS ? CHANNELS[type as ChannelType] : { ...UNKNOWN, label: type };
}

/** Types a person can connect. */
export function connectable(): [ChannelType, ChannelDescriptor][] {
  return (Object.entries(CHANNELS) as [ChannelType, ChannelDescriptor][]).filter(([, channel]) => !channel.builtIn);
}

export function fieldOf(channel: ChannelDescriptor, name: string): Field | undefined {
  return channel.fields.find((field) => field.name === name);
}
