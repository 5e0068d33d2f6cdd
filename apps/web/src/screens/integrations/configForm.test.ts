import { describe, expect, it } from "vitest";
import { CHANNELS } from "./channelTypes";
import { configFacts, configPatch, configProblems, emptyValues, newConfig, stepOfField, valuesOf } from "./configForm";

const telegram = CHANNELS.telegram;
const stored = {
  mode: "polling",
  api_base_url: "https://api.telegram.org",
  allowed_chat_ids: null,
  allow_bots: false,
};

describe("a new integration", () => {
  it("says only what was typed or differs from the default", () => {
    const values = { ...emptyValues(telegram), bot_token: " 1:abc " };
    expect(newConfig(telegram, values)).toEqual({ bot_token: "1:abc" });
    expect(newConfig(telegram, { ...values, mode: "webhook" })).toEqual({ bot_token: "1:abc", mode: "webhook" });
  });

  it("sends ids as numbers, and as text where a number would lose digits", () => {
    const values = { ...emptyValues(telegram), allowed_chat_ids: ["-1001234567890", "@team", "99999999999999999999"] };
    expect(newConfig(telegram, values)).toEqual({
      allowed_chat_ids: [-1001234567890, "@team", "99999999999999999999"],
    });
  });
});

describe("a change of settings", () => {
  it("is nothing when nothing was touched, and never a secret", () => {
    expect(valuesOf(telegram, stored).bot_token).toBe("");
    expect(configPatch(telegram, stored, valuesOf(telegram, stored))).toEqual({});
  });

  it("tells nobody from everybody", () => {
    const values = valuesOf(telegram, { ...stored, allowed_chat_ids: [] });
    expect(values.allowed_chat_ids).toEqual([]);
    expect(configPatch(telegram, { ...stored, allowed_chat_ids: [] }, { ...values, allowed_chat_ids: null })).toEqual({
      allowed_chat_ids: null,
    });
    expect(configPatch(telegram, stored, { ...valuesOf(telegram, stored), allowed_chat_ids: [] })).toEqual({
      allowed_chat_ids: [],
    });
  });

  it("takes an address that was emptied back to the default", () => {
    const own = { ...stored, api_base_url: "http://bots.internal:8081" };
    expect(configPatch(telegram, own, { ...valuesOf(telegram, own), api_base_url: " " })).toEqual({
      api_base_url: null,
    });
  });

  it("replaces a secret that was typed", () => {
    expect(configPatch(telegram, stored, { ...valuesOf(telegram, stored), bot_token: "2:def" })).toEqual({
      bot_token: "2:def",
    });
  });
});

describe("what can be told at once", () => {
  it("is a required secret that is missing, unless one is stored", () => {
    expect(configProblems(telegram, emptyValues(telegram), {})).toHaveProperty("bot_token");
    expect(configProblems(telegram, emptyValues(telegram), { bot_token: true })).toEqual({});
  });

  it("is a secret with a blank in it and a chat that is none", () => {
    const values = { ...emptyValues(telegram), bot_token: "1: abc", allowed_chat_ids: ["42", "team"] };
    expect(Object.keys(configProblems(telegram, values, {})).sort()).toEqual(["allowed_chat_ids", "bot_token"]);
  });
});

it("a refused field leads to its step", () => {
  expect(stepOfField(telegram, "bot_token")).toBe(0);
  expect(stepOfField(telegram, "mode")).toBe(1);
  expect(stepOfField(telegram, "webhook_secret")).toBeNull();
});

it("settings are told in words, and a secret only as set or not", () => {
  const facts = configFacts(telegram, { config: { ...stored, allowed_chat_ids: [7] }, secrets: { bot_token: true } });
  expect(Object.fromEntries(facts.map(({ label, value }) => [label, value]))).toEqual({
    "Bot token": "Set",
    "How messages come in": "Polling",
    "Who may write to it": "7",
    "Take in messages of other bots": "No",
    "Address of the Bot API": "https://api.telegram.org",
    "Webhook secret": "Not set",
  });
});
