import { expect, test } from "vitest";
import { countsOf, decode, idOf, indexOf } from "./points";

const base64 = (...bytes: number[]) => btoa(String.fromCharCode(...bytes));
const answer = {
  count: 2,
  ids: base64(...Array.from({ length: 32 }, (_, at) => at)),
  positions: base64(0, 0, 255, 255, 255, 127, 1, 0),
  places: base64(1, 0, 255, 255),
  labels: ["a", "b"],
};

test("bytes are read as ids, positions and labels", () => {
  const points = decode(answer);
  expect(points.count).toBe(2);
  expect(idOf(points, 0)).toBe("00010203-0405-0607-0809-0a0b0c0d0e0f");
  expect([points.x[0], points.y[0]]).toEqual([0, 1]);
  expect(points.x[1]).toBeCloseTo(0.5, 4);
  expect(points.y[1]).toBeCloseTo(1 / 65_535, 9);
  // The last place is that of images without a label.
  expect([...points.places]).toEqual([1, 2]);
  expect(countsOf(points)).toEqual([0, 1, 1]);
  expect(indexOf(points).get("10111213-1415-1617-1819-1a1b1c1d1e1f")).toBe(1);
});

test("an answer that was cut short counts as far as it is whole", () => {
  expect(decode({ ...answer, places: base64(1, 0) }).count).toBe(1);
  expect(decode({ count: 0, ids: "", positions: "", places: "", labels: [] }).count).toBe(0);
});
