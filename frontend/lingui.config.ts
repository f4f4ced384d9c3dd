import { defineConfig } from "@lingui/conf";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  sourceLocale: "en",
  locales: ["en", "de", "zh-Hans"],
  catalogs: [{ path: "src/i18n/locales/{locale}/messages", include: ["src"] }],
  format: formatter({ lineNumbers: false, origins: false }),
});
