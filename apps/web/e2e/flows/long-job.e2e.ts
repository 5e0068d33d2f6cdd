// A transcript of ten thousand messages can be scrolled without waiting for it, from its beginning to its end.
import type { Locator, Page } from "@playwright/test";
import { LONG_JOB, MESSAGES, serveLongJob } from "../support/longJob";
import { expect, test } from "../support/test";

/** Half of the frames come this fast where one frame is due every 16.7 ms; the rest is left to slow machines. */
const MEDIAN_MS = 34;
/** Longer than this the picture stands still. */
const STILL_MS = 250;
const FRAMES = 300;
/** More rows than a screen has are not drawn. */
const MOST_ROWS = 80;

test("ten thousand messages scroll", async ({ page, api }, info) => {
  test.setTimeout(120_000);
  const agent = await api.agent("Long");
  await serveLongJob(page, agent.id);
  const begun = Date.now();
  await page.goto(`/jobs/${LONG_JOB}`);
  const timeline = page.getByRole("region", { name: "Timeline" });
  await expect(timeline).toContainText("Go through every module, please.");
  const first = Date.now() - begun;
  await expect(timeline.getByRole("listitem").first()).toHaveAttribute("aria-setsize", String((MESSAGES / 2) * 3 + 2), {
    timeout: 60_000,
  });
  const whole = Date.now() - begun;

  const reading = await frames(timeline, 120);
  const racing = await frames(timeline, 2_400);
  await page.getByRole("button", { name: "Jump to the end" }).click();
  await expect(timeline).toContainText(`Step ${MESSAGES}:`);
  expect(await timeline.getByRole("listitem").count()).toBeLessThan(MOST_ROWS);
  const memory = await heap(page);

  const figures = { first_ms: first, whole_ms: whole, reading, racing, heap_mib: memory };
  await info.attach("figures", { body: JSON.stringify(figures), contentType: "application/json" });
  info.annotations.push({ type: "figures", description: JSON.stringify(figures) });
  process.stdout.write(`ten thousand messages: ${JSON.stringify(figures)}\n`);
  for (const { median, longest } of [reading, racing]) {
    expect(median).toBeLessThan(MEDIAN_MS);
    expect(longest).toBeLessThan(STILL_MS);
  }
});

/** Scrolls by so many pixels a frame and says how long the frames took, in milliseconds. */
async function frames(timeline: Locator, pixels: number) {
  const took = await timeline.evaluate(
    (element, { pixels, count }) =>
      new Promise<number[]>((resolve) => {
        const times: number[] = [];
        let before = performance.now();
        const step = () => {
          const now = performance.now();
          times.push(now - before);
          before = now;
          if (times.length >= count) return resolve(times);
          element.scrollTop += pixels;
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
    { pixels, count: FRAMES },
  );
  const sorted = took.slice(1).sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { median: at(0.5), p95: at(0.95), longest: at(1) };
}

async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return Math.round(usedSize / 1024 / 1024);
}
