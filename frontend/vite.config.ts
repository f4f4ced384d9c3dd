import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const studio = process.env.MLSTUDIO_ADDRESS ?? "http://127.0.0.1:8000";
// One origin in development too, so that cookies and CSRF behave as they do in production.
const proxied = { target: studio, changeOrigin: false };

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/static/studio/" : "/",
  plugins: [react(), lingui({ macroTransform: true })],
  build: {
    target: "es2022",
    // Nothing is inlined: the content security policy allows no inline script and no data: script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": proxied, "/static/studio-examples": proxied } },
  // A test that needs a browser says so at its top: making one takes longer than most tests.
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
}));
