const { expect, test } = require("@playwright/test");

// At the second try the first one fails, and the second one does not run.
test.describe.serial("stock", () => {
  test("is counted once (on purpose not again)", ({}, info) => {
    expect(info.retry).toBe(0);
  });

  test("is sold (on purpose not)", () => {
    expect(1).toBe(2);
  });

  test("is sent, but never comes so far", () => {});
});

test.describe("office", () => {
  test.beforeAll(() => {
    throw new Error("closed (on purpose)");
  });

  test("opens (on purpose not)", () => {});

  test("writes, but never comes so far", () => {});
});
