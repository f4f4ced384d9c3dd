import { describe, expect, it } from "vitest";
import { isFiltered, readFilter, toggled, toQuery } from "./filter";

describe("the filter in the address", () => {
  it("keeps what it knows and leaves out the rest", () => {
    const odd = {
      split: "moon",
      annotated: "yes",
      label: ["a", 5, ""],
      q: "",
      ordering: "id",
      size: "xl",
      x: 1,
    };
    expect(readFilter(odd)).toEqual({ label: ["a"], ordering: "id" });
  });

  it("becomes the query of the interface", () => {
    const query = toQuery("p", { label: ["a", "b"], annotated: false, size: "l" });
    expect(query.getAll("label")).toEqual(["a", "b"]);
    expect(query.get("annotated")).toBe("false");
    expect(query.has("size")).toBe(false);
    expect(query.get("ordering")).toBe("-id");
  });

  it("tells an order from a filter", () => {
    expect(isFiltered({ ordering: "id", size: "s" })).toBe(false);
    expect(isFiltered({ annotated: false })).toBe(true);
  });

  it("toggles a value of a list", () => {
    expect(toggled(["a"], "b")).toEqual(["a", "b"]);
    expect(toggled(["a"], "a")).toBeUndefined();
  });
});
