import { expect, it } from "vitest";
import { guessQuery, PAGE, readLiveSearch } from "./search";

it("reads what an address says, and leaves out what is odd", () => {
  const wanted = { label: "a", none: true, dataset: "b", order: "least_confident", min: 90 };
  expect(readLiveSearch(wanted)).toEqual(wanted);
  const odd = readLiveSearch({ label: 4, none: 1, dataset: "", order: "best", min: 91 });
  expect(Object.values(odd).filter((value) => value !== undefined)).toEqual([]);
  expect(readLiveSearch({ min: 0 }).min).toBeUndefined();
});

it("asks for a page of guesses, with a confidence from 0 to 1", () => {
  expect(guessQuery({ label: "a", min: 95 }, "x")).toMatchObject({
    label: "a",
    min_confidence: 0.95,
    limit: PAGE,
    cursor: "x",
  });
  expect(guessQuery({}, null).min_confidence).toBe(0);
});
