// The system's Chromium: no browser of Playwright's own is downloaded.
module.exports = {
  testDir: "./tests",
  retries: 1,
  projects: [
    {
      name: "chromium",
      use: {
        launchOptions: {
          executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
          args: ["--no-sandbox"],
        },
      },
    },
  ],
};
