import { expect, it } from "vitest";
import { answerOtherTabs, sentByOtherTabs } from "./tabs";

it("leaves to other tabs what they are sending", async () => {
  expect([...(await sentByOtherTabs())]).toEqual([]);
  answerOtherTabs(() => ["one", "two"]);
  expect([...(await sentByOtherTabs())].sort()).toEqual(["one", "two"]);
});
