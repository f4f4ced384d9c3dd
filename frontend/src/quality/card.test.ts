import { expect, test } from "vitest";
import { readCard } from "./card";

test("a card is read part by part", () => {
  const card = readCard({
    limits: ["Fewer than 20 test images."],
    data: { dataset: "Images", snapshot: 2, digest: "abc", counts: { splits: { train: 80, test: 20 } } },
    configuration: { image_size: 64, flip: null, class_weights: "auto" },
    versions: { keras: "3" },
    input: { size: [64, 96], values: "float32 RGB", output: "probabilities" },
    actual: { seconds: 12, memory_bytes: 5 },
  });
  expect(card).toMatchObject({
    dataset: "Images",
    snapshot: 2,
    seconds: 12,
    input: "float32 RGB (96 × 64 px)",
  });
  expect(card.splits).toEqual([
    ["train", 80],
    ["test", 20],
  ]);
  expect(card.settings).toEqual([
    ["image size", "64"],
    ["class weights", "auto"],
  ]);
});

test("an odd card is an empty one", () => {
  for (const odd of [null, [], "text", { limits: 3, data: [] }])
    expect(readCard(odd)).toMatchObject({ limits: [], splits: [], input: null });
});
