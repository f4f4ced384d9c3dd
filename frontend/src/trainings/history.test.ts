import fc from "fast-check";
import { expect, it } from "vitest";
import { bestEpoch, type Epoch, figureLines, figureOf, phaseStarts, withEpochs } from "./history";

const epoch = (number: number, more: Partial<Epoch> = {}): Epoch => ({
  phase: "training",
  epoch: number,
  loss: 1 / number,
  val_loss: 1 / number,
  learning_rate: 0.001,
  seconds: 1,
  images_per_second: 10,
  ...more,
});

it("chooses as the engine does: by the accuracy, then by the loss, and the first of equal ones", () => {
  const history = [
    epoch(1, { val_accuracy: 0.5, val_loss: 1 }),
    epoch(2, { val_accuracy: 0.9, val_loss: 0.4 }),
    epoch(3, { val_accuracy: 0.9, val_loss: 0.3 }),
    epoch(4, { val_accuracy: 0.9, val_loss: 0.3 }),
  ];
  expect(bestEpoch(history)).toBe(3);
  expect(bestEpoch([])).toBeNull();
});

it("takes the balanced accuracy where there is one, and AP50 of detectors, which few epochs have", () => {
  const uneven = [epoch(1, { val_accuracy: 0.9, val_balanced_accuracy: 0.5 })];
  expect(figureOf(uneven)).toBe("val_balanced_accuracy");
  const boxes = [
    epoch(1),
    epoch(2, { val_ap50: 0.4, val_ap: 0.2 }),
    epoch(3),
    epoch(4, { val_ap50: 0.4, val_ap: 0.3 }),
  ];
  expect(bestEpoch(boxes)).toBe(4);
  expect(figureLines(boxes)).toEqual([
    {
      kind: "validation",
      points: [
        { epoch: 2, value: 0.4 },
        { epoch: 4, value: 0.4 },
      ],
    },
  ]);
});

it("loses no epoch and repeats none, however they are heard", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.array(fc.nat(60), { maxLength: 20 }), (count, cuts) => {
      const all = Array.from({ length: count }, (_, n) => epoch(n + 1));
      let known: Epoch[] = [];
      const ends = [...cuts.map((cut) => Math.min(cut, count)), count].sort((a, b) => a - b);
      let begin = 0;
      for (const end of ends) {
        // Every message is heard twice.
        known = withEpochs(known, all.slice(begin, end)) ?? [];
        known = withEpochs(known, all.slice(begin, end)) ?? [];
        begin = end;
      }
      expect(known).toEqual(all);
    }),
  );
});

it("asks again when an epoch is missing, and lets epochs count that were trained again", () => {
  const history = [epoch(1), epoch(2), epoch(3)];
  expect(withEpochs(history, [epoch(5)])).toBeNull();
  const again = epoch(2, { loss: 7 });
  expect(withEpochs(history, [again])).toEqual([epoch(1), again]);
});

it("finds where phases begin", () => {
  const history = [
    epoch(1, { phase: "head" }),
    epoch(2, { phase: "head" }),
    epoch(3, { phase: "fine_tuning" }),
  ];
  expect(phaseStarts(history)).toEqual([{ epoch: 3, phase: "fine_tuning" }]);
});
