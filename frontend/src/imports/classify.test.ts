import { expect, it } from "vitest";
import { batches, faultOf, isClutter, kindOf, namedApart } from "./classify";

const limits = { max_image_bytes: 100, max_upload_bytes: 1000 };

it.each([
  ["a.JPG", "image"],
  ["b.heic", "image"],
  ["c.tar.gz", "archive"],
  ["d.mov", "video"],
  ["e.json", "annotations"],
  ["f.exe", "unknown"],
])("%s is %s", (name, kind) => expect(kindOf({ name, type: "" })).toBe(kind));

it("refuses before anything is sent", () => {
  expect(faultOf({ name: "a.jpg", type: "", size: 0 }, limits)).toBe("empty");
  expect(faultOf({ name: "a.jpg", type: "", size: 101 }, limits)).toBe("too_large");
  expect(faultOf({ name: "a.zip", type: "", size: 101 }, limits)).toBeNull();
  expect(faultOf({ name: "a.exe", type: "", size: 1 }, limits)).toBe("unknown_kind");
});

it("leaves out what systems put beside", () => {
  expect(isClutter("x/.DS_Store")).toBe(true);
  expect(isClutter("__MACOSX/x/a.jpg")).toBe(true);
  expect(isClutter("x/a.jpg")).toBe(false);
});

it("loses no file between batches", () => {
  const items = Array.from({ length: 100 }, (_, index) => ({ size: (index * 7919) % 9_000_000 }));
  expect(batches(items).flat()).toEqual(items);
});

it("sends files of one name apart, for what became of each is told by its name", () => {
  const items = ["left/1.jpg", "right/1.jpg", "right/2.jpg"].map((path) => ({ path }));
  expect(namedApart(items).map(({ path }) => path)).toEqual(["left/1.jpg", "right/2.jpg"]);
});
