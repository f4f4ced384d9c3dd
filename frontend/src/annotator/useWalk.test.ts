// @vitest-environment happy-dom
import { renderHook } from "@testing-library/react";
import { expect, it } from "vitest";
import { useWalk, type Way } from "./useWalk";

const IMAGES = ["a", "b", "c", "d", "e"];

/** A page whose studio answers when it is told to. */
function walked(start: string) {
  const answers: (() => void)[] = [];
  const gone: string[] = [];
  const beside = (from: string, way: Way) =>
    new Promise<string | undefined>((resolve) => {
      answers.push(() => resolve(IMAGES[IMAGES.indexOf(from) + (way === "next" ? 1 : -1)]));
    });
  const page = renderHook(({ image }) => useWalk(image, beside, (to) => gone.push(to)), {
    initialProps: { image: start },
  });
  const answer = async () => {
    await Promise.resolve();
    await Promise.resolve();
    answers.shift()?.();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  return { page, gone, answer };
}

it("takes a step for each key, also for those that come before the answer", async () => {
  const { page, gone, answer } = walked("a");
  for (const way of ["next", "next", "next", "previous"] as const) page.result.current(way);
  for (let turn = 0; turn < 4; turn += 1) await answer();
  expect(gone).toEqual(["b", "c", "d", "c"]);
});

it("stays at the end, and goes on from where an undo has led", async () => {
  const { page, gone, answer } = walked("e");
  page.result.current("next");
  await answer();
  expect(gone).toEqual([]);
  page.rerender({ image: "b" });
  page.result.current("next");
  await answer();
  expect(gone).toEqual(["c"]);
});

it("takes nobody back who has left the page", async () => {
  const { page, gone, answer } = walked("a");
  page.result.current("next");
  page.unmount();
  await answer();
  expect(gone).toEqual([]);
});
