import { expect, it } from "vitest";

const sources = import.meta.glob<string>("../**/*.tsx", { query: "?raw", import: "default", eager: true });

it("is what every page changes its search with", () => {
  const direct = Object.keys(sources).filter((file) =>
    /\buseNavigate\(\{\s*from\b/.test(sources[file] ?? ""),
  );
  expect(Object.keys(sources).length).toBeGreaterThan(100);
  expect(direct).toEqual([]);
});
