// "For good" is null in the API, and must not become a number of days on the way.
import { expect, it } from "vitest";
import { periodProblem, retentionBody, retentionValues } from "./retentionForm";

const RETENTION = { tool_output_days: 90, event_days: 30, transcript_days: null };

it("sends back what it was given", () => {
  expect(retentionBody(retentionValues(RETENTION))).toEqual(RETENTION);
});

it("takes whole days from one on", () => {
  expect(periodProblem({ isForever: true, days: "" })).toBeNull();
  expect(periodProblem({ isForever: false, days: 1 })).toBeNull();
  expect(periodProblem({ isForever: false, days: "05" })).toBeNull();
  for (const days of ["", "-", 0, 1.5]) expect(periodProblem({ isForever: false, days })).not.toBeNull();
});
