// What people change is in the audit log with before and after, and no secret is.
import { addresses } from "../support/outside";
import { expect, OWNER, test } from "../support/test";

test("a change is told field by field, with who made it", async ({ page, api }) => {
  const { id } = await api.agent("Audited", { instructions: "Be brief." });
  await api.patch(`/agents/${id}`, { instructions: "Be friendly." });
  await page.goto(`/audit?subject_id=${id}`);
  await page.getByRole("row").filter({ hasText: "Agent updated" }).first().getByRole("button").first().click();
  const entry = page.getByRole("dialog");
  await expect(entry).toContainText(OWNER.name);
  await expect(entry.getByRole("region", { name: "Changes" })).toContainText("Be brief.");
  await expect(entry.getByRole("region", { name: "Changes" })).toContainText("Be friendly.");
});

test("the log holds no secret", async ({ api }) => {
  const log = JSON.stringify(await api.get("/audit?limit=100"));
  for (const secret of [OWNER.password, addresses().telegram_token, addresses().model_key])
    expect(log).not.toContain(secret);
});
