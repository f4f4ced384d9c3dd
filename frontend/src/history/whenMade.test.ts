import { expect, it, vi } from "vitest";
import { making, whenMade } from "./whenMade";

it("waits for what is being changed, and not for ever", async () => {
  vi.useFakeTimers();
  let running = 1;
  const done = vi.fn();
  void whenMade({ isMutating: () => running }).then(done);
  await vi.advanceTimersByTimeAsync(1000);
  expect(done).not.toHaveBeenCalled();
  running = 0;
  await vi.advanceTimersByTimeAsync(50);
  expect(done).toHaveBeenCalledOnce();
  const late = vi.fn();
  void whenMade({ isMutating: () => 1 }).then(late);
  await vi.advanceTimersByTimeAsync(6000);
  expect(late).toHaveBeenCalledOnce();
  vi.useRealTimers();
});

it("waits for a change that is under way, also one that is refused", async () => {
  vi.useFakeTimers();
  let refuse: (problem: Error) => void = () => undefined;
  making(new Promise((_, reject) => (refuse = reject))).catch(() => undefined);
  const done = vi.fn();
  void whenMade({ isMutating: () => 0 }).then(done);
  await vi.advanceTimersByTimeAsync(1000);
  expect(done).not.toHaveBeenCalled();
  refuse(new Error("no"));
  await vi.advanceTimersByTimeAsync(50);
  expect(done).toHaveBeenCalledOnce();
  vi.useRealTimers();
});
