// Plays the people and the vendors outside of the server: one line of JSON there, one line back.
import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";

type Addresses = {
  control: number;
  model_url: string;
  model_key: string;
  telegram_url: string;
  telegram_token: string;
};

export function addresses(): Addresses {
  return JSON.parse(process.env.E2E_OUTSIDE_ADDRESSES ?? "{}") as Addresses;
}

export type Person = { person: number; name: string };

export const outside = {
  /** A person writes to the bot. */
  say: (who: Person, text: string) => ask({ do: "say", ...who, text }),
  block: (who: Person) => ask({ do: "block", person: who.person }),
  unblock: (who: Person) => ask({ do: "unblock", person: who.person }),
  /** The bot's next message arrives, but the bot never hears of it. */
  loseAnswer: () => ask({ do: "lose_answer" }),
  messages: async (who: Person) => (await ask({ do: "messages", person: who.person })).messages as string[],
  /** Waits until the bot has written this to the person. */
  await: async (who: Person, text: string) => (await ask({ do: "await", person: who.person, text })).text as string,
};

async function ask(wish: Record<string, unknown>): Promise<Record<string, unknown>> {
  const socket = createConnection(addresses().control, "127.0.0.1");
  try {
    const lines = createInterface(socket);
    socket.write(`${JSON.stringify(wish)}\n`);
    const [line] = await once(lines, "line", { signal: AbortSignal.timeout(30_000) });
    const answer = JSON.parse(String(line)) as Record<string, unknown>;
    if (answer.error) throw new Error(`the stand-ins refused ${JSON.stringify(wish)}: ${answer.error}`);
    return answer;
  } finally {
    socket.destroy();
  }
}
