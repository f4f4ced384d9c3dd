import { beforeEach, expect, it } from "vitest";
import { annotator, type Mark } from "./store";
import { cycle, middleBox } from "./useBoxKeys";

function mark(id: string): Mark {
  return { id, label: "a", box: [0, 0, 9, 9], confirmed: true, origin: "human", score: null };
}
const press = (way: 1 | -1) => [cycle(way), annotator.getState().selected];
let count = 0;

beforeEach(() => {
  count += 1;
  annotator.setState({ image: `image-${count}`, marks: [mark("a"), mark("b")], selected: null });
});

it("goes through the boxes, and then leaves Tab to the page, so that nobody is caught in them", () => {
  expect([press(1), press(1), press(1), press(1)]).toEqual([
    [true, "a"],
    [true, "b"],
    [false, null],
    [false, null],
  ]);
});

it("leaves Tab to the page where there is no box", () => {
  annotator.setState({ marks: [] });
  expect(press(1)).toEqual([false, null]);
});

it("begins again once a box was chosen", () => {
  press(-1);
  annotator.setState({ selected: "a" });
  expect(press(1)).toEqual([true, "b"]);
});

it("puts a new box into the middle of what is seen", () => {
  const view = { scale: 2, x: -100, y: 0 };
  expect(middleBox({ size: { width: 400, height: 300 }, view }, { width: 600, height: 300 })).toEqual([
    150, 50, 250, 100,
  ]);
});

it("puts a new box into the middle of the image where none of it is seen", () => {
  const view = { scale: 2, x: -5000, y: 0 };
  const [left, top, right, bottom] = middleBox(
    { size: { width: 400, height: 300 }, view },
    { width: 600, height: 300 },
  );
  expect([left + right, top + bottom]).toEqual([400, 300]);
  expect(right - left).toBeGreaterThan(100);
});
