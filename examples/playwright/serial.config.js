// What does not run behind a failure: playwright test --config serial.config.js
module.exports = { testDir: "./serial", retries: 1 };
