// What the jobs of the other tests cost is shown by agent and by model, as a chart and as a table.
import { scripted } from "../support/arrange";
import { expect, settled, test } from "../support/test";

test("costs are grouped, drawn and told in numbers", async ({ page, api }) => {
  const agent = await api.agent("Dear", { model: await scripted(api) });
  const { id } = await api.post<{ id: string }>("/conversations", { agent_id: agent.id });
  await api.post("/work-items", { text: "hello", agent_ids: [agent.id], conversation_id: id });
  const jobs = () => api.get<{ items: { status: string; cost_micros: number }[] }>(`/jobs?agent_id=${agent.id}`);
  await expect.poll(async () => (await jobs()).items[0]?.status).toBe("completed");

  await page.goto("/costs");
  await settled(page);
  await expect(page.getByRole("table", { name: "Costs by agent" })).toContainText("Dear");
  await page.getByRole("button", { name: "Cost per day as a table" }).click();
  await expect(page.getByRole("table", { name: "Cost per day" })).toContainText(new Date().toISOString().slice(0, 10));

  await page.getByRole("combobox", { name: "Grouped" }).click();
  await page.getByRole("option", { name: "By model" }).click();
  await expect(page).toHaveURL(/group=model/);
  await expect(page.getByRole("table", { name: "Costs by model" })).toContainText("sim/");
});
