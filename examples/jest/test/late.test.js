// Tried again: the last try counts.
jest.retryTimes(1);

let tries = 0;

test("is late at first", () => {
  tries += 1;
  expect(tries).toBe(2);
});
