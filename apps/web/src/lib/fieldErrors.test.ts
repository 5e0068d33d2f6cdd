import { expect, it } from "vitest";
import { Problem } from "../api/client";
import { placeErrors } from "./fieldErrors";

const refused = (code: string, ...errors: { field: string; message: string }[]) =>
  new Problem({ code, title: "Refused", detail: "there is one named `Ada` already", status: 422, errors });
const shows =
  (...fields: string[]) =>
  (field: string) =>
    fields.includes(field);

it("a refused field is told at its field, in a sentence", () => {
  const problem = refused("validation_failed", { field: "name", message: "must not be blank" });
  expect(placeErrors(problem, shows("name"))).toEqual({ errors: { name: "Must not be blank" }, isComplete: true });
});

it("fields of another name are found, and all below one", () => {
  const problem = refused(
    "validation_failed",
    { field: "budget_micros_per_day", message: "a" },
    { field: "config.bot_token", message: "b" },
  );
  const fields = { budget_micros_per_day: "budget", "config.": "" };
  expect(placeErrors(problem, shows("budget", "bot_token"), { fields }).errors).toEqual({
    budget: "A",
    bot_token: "B",
  });
});

it("what no field shows is not called placed", () => {
  const problem = refused("validation_failed", { field: "name", message: "a" }, { field: "other", message: "b" });
  expect(placeErrors(problem, shows("name"))).toEqual({ errors: { name: "A" }, isComplete: false });
  expect(placeErrors(new Error("no network"), shows("name"))).toEqual({ errors: {}, isComplete: false });
});

it("a conflict about one field is told there", () => {
  const placed = placeErrors(refused("name_taken"), shows("name"), { codes: { name_taken: "name" } });
  expect(placed).toEqual({ errors: { name: "There is one named `Ada` already" }, isComplete: true });
});
