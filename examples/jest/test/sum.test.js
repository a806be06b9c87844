const { sum } = require("../sum");

describe("sum", () => {
  test("adds", () => expect(sum(1, 2)).toBe(3));

  test("carries (on purpose not)", () => expect(sum(9, 1)).toBe(11));

  test.skip("adds on the moon", () => {});

  test.todo("adds fractions");

  test.each([1, 2])("nothing to %i", (n) => expect(sum(n, 0)).toBe(n));
});
