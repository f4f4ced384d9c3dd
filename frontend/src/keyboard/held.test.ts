import { expect, it } from "vitest";
import { HeldKeys, isLeaving } from "./held";

const routes = [/^\/models\/[^/]+$/, /^\/images\/[^/]+$/];
const router = (shown: string | undefined, latest: string) =>
  ({
    state: { resolvedLocation: shown && { pathname: shown } },
    latestLocation: { pathname: latest },
    matchRoutes: ({ pathname }: { pathname: string }) => [
      { routeId: String(routes.findIndex((route) => route.test(pathname))) },
    ],
  }) as unknown as Parameters<typeof isLeaving>[0];

it("is leaving while another page comes, not when a page shows another thing", () => {
  expect(isLeaving(router("/models/1", "/images/2"))).toBe(true);
  expect(isLeaving(router("/images/1", "/images/2"))).toBe(false);
  expect(isLeaving(router("/models/1", "/models/1"))).toBe(false);
  expect(isLeaving(router(undefined, "/models/1"))).toBe(false);
});

it("keeps keys in their order, once, and not those of a key that is held down", () => {
  const held = new HeldKeys<number>();
  for (let press = 1; press <= 20; press++) held.hold(press);
  const seen: number[] = [];
  held.release((press) => seen.push(press));
  held.release((press) => seen.push(press));
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});
