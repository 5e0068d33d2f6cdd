// A transcript of ten thousand messages can be scrolled without waiting for it, from its beginning to its end. How
// long a frame takes depends on what else the machine does, so what is held to a limit is the work in it.
import type { CDPSession, Locator } from "@playwright/test";
import { LONG_JOB, MESSAGES, serveLongJob } from "../support/longJob";
import { expect, test } from "../support/test";

const FRAMES = 300;
/** Frames come every 16.7 ms; a page that needs less time of the processor for one keeps up. */
const READING_MS = 16;
/** At a pace at which nobody reads, every frame shows rows that were never drawn. */
const RACING_MS = 50;
/** More rows than a screen has are not drawn. */
const MOST_ROWS = 80;
/** What was said, then what was thought, written and called in every second message, then how it ended. */
const ROWS = 1 + (MESSAGES / 2) * 3 + 1;

test("ten thousand messages scroll", async ({ page, api }, info) => {
  test.setTimeout(120_000);
  const agent = await api.agent("Long");
  await serveLongJob(page, agent.id);
  const begun = Date.now();
  await page.goto(`/jobs/${LONG_JOB}`);
  const timeline = page.getByRole("region", { name: "Timeline" });
  await expect(timeline).toContainText("Go through every module, please.");
  const firstMs = Date.now() - begun;
  const row = timeline.getByRole("listitem").first();
  await expect(row).toHaveAttribute("aria-setsize", String(ROWS), { timeout: 60_000 });
  const wholeMs = Date.now() - begun;

  const inspector = await page.context().newCDPSession(page);
  await inspector.send("Performance.enable", { timeDomain: "threadTicks" });
  const reading = await scrolled(timeline, inspector, 120);
  const racing = await scrolled(timeline, inspector, 2_400);
  await page.getByRole("button", { name: "Jump to the end" }).click();
  await expect(timeline).toContainText(`Step ${MESSAGES}:`);
  expect(await timeline.getByRole("listitem").count()).toBeLessThan(MOST_ROWS);

  const heapMib = await heap(inspector);
  const figures = JSON.stringify({ firstMs, wholeMs, reading, racing, heapMib });
  info.annotations.push({ type: "figures", description: figures });
  process.stdout.write(`ten thousand messages: ${figures}\n`);
  expect(reading.workMs).toBeLessThan(READING_MS);
  expect(racing.workMs).toBeLessThan(RACING_MS);
});

/** Scrolls by so many pixels a frame: the work of a frame, and how far apart frames were, in milliseconds. */
async function scrolled(timeline: Locator, inspector: CDPSession, pixels: number) {
  const before = await worked(inspector);
  const took = await timeline.evaluate(
    (element, { pixels, count }) =>
      new Promise<number[]>((resolve) => {
        const times: number[] = [];
        let last = performance.now();
        const step = () => {
          const now = performance.now();
          times.push(now - last);
          last = now;
          if (times.length >= count) return resolve(times);
          element.scrollTop += pixels;
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
    { pixels, count: FRAMES },
  );
  const work = (await worked(inspector)) - before;
  const sorted = took.slice(1).sort((a, b) => a - b);
  const apart = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { workMs: Math.round((work / FRAMES) * 10) / 10, median: apart(0.5), p95: apart(0.95), longest: apart(1) };
}

/** Time of the processor that the page has used, in milliseconds. */
async function worked(inspector: CDPSession): Promise<number> {
  const { metrics } = await inspector.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN) * 1_000;
}

async function heap(inspector: CDPSession): Promise<number> {
  await inspector.send("HeapProfiler.collectGarbage");
  const { usedSize } = await inspector.send("Runtime.getHeapUsage");
  return Math.round(usedSize / 1024 / 1024);
}
