import { expect, it } from "vitest";
import { CHANNELS, channelOf, connectable, fieldOf } from "./channelTypes";

it("every type that can be connected is asked for all it requires, in at most two steps", () => {
  for (const [type, channel] of connectable()) {
    expect(channel.steps.length, type).toBeGreaterThan(0);
    expect(channel.steps.length, type).toBeLessThanOrEqual(2);
    const asked = channel.steps.flatMap((step) => step.fields);
    for (const name of asked) expect(fieldOf(channel, name), `${type}.${name}`).toBeDefined();
    for (const field of channel.fields)
      if (field.kind === "secret" && field.required) expect(asked, type).toContain(field.name);
  }
});

it("built-in types cannot be connected", () => {
  expect(connectable().map(([type]) => type)).not.toContain("web");
});

it("a word this build does not know is shown by that word and touched by nobody", () => {
  const channel = channelOf("carrier-pigeon");
  expect(channel.label).toBe("carrier-pigeon");
  expect(channel.builtIn).toBe(true);
});

it("Telegram is greeted by its account where there is one", () => {
  expect(CHANNELS.telegram.hello("@support_bot").href).toBe("https://t.me/support_bot");
  expect(CHANNELS.telegram.hello("Some name").href).toBeNull();
  expect(CHANNELS.telegram.hello(null).text).toMatch(/your bot/);
});
