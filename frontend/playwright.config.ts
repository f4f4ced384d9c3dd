import { defineConfig } from "@playwright/test";

const port = process.env.STUDIO_PORT ?? "8931";

// A studio of its own, with an empty data folder: `frontend/check.py` makes both. Debian's Chromium, never one that is downloaded.
export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/prepare.ts",
  outputDir: "e2e/.output",
  workers: 2,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  // On a busy machine. A journey that passes the second time is printed as flaky, with what went wrong the first time.
  retries: 1,
  reporter: "line",
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 900 },
    trace: "off",
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
  },
});
