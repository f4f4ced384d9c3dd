import { defineConfig } from "@playwright/test";

// Not part of the journeys: `python -m benchmarks pages` and `tests/test_page_faults.py` say where the studio is.
export default defineConfig({
  testDir: ".",
  outputDir: "../e2e/.output",
  workers: 1,
  timeout: 1_800_000,
  expect: { timeout: 60_000 },
  reporter: "line",
  use: {
    baseURL: process.env.MEASURE_URL ?? "http://127.0.0.1:8000",
    viewport: { width: 1440, height: 900 },
    trace: "off",
    actionTimeout: 60_000,
    bypassCSP: true, // what is looked for is given as text
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
  },
});
