const { expect, test } = require("@playwright/test");

const TILL = `
  <h1>Till</h1>
  <button onclick="total.textContent = Number(total.textContent) + 1">Add</button>
  <output id="total">0</output>`;

test.describe("till", () => {
  test.beforeEach(async ({ page }) => page.setContent(TILL));

  test("adds", async ({ page }) => {
    await page.getByRole("button", { name: "Add" }).click();
    await expect(page.locator("#total")).toHaveText("1");
  });

  test("gives change (on purpose not)", async ({ page }) => {
    await expect(page.locator("#change")).toHaveText("2", { timeout: 200 });
  });

  test("is late at first", async ({ page }, info) => {
    expect(await page.title()).toBe("");
    expect(info.retry).toBe(1);
  });

  test("prints", async () => {
    test.skip(true, "no printer here");
  });
});

// Tried again as a whole, with the test that was good.
test.describe.serial("queue", () => {
  test("opens", () => {});

  test("is late at first", ({}, info) => {
    expect(info.retry).toBe(1);
  });
});
