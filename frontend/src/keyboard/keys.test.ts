// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { presses } from "./keys";

it("leaves Space to the page where a link has the focus, as the one that was clicked to come here", () => {
  document.body.innerHTML = "<a href='/'><i></i></a><button><i></i></button>";
  const [link, button] = document.querySelectorAll("i");
  const on = (key: string, target: Element | undefined) => presses({ key, target: target ?? null });
  expect([on(" ", link), on("Enter", link), on(" ", button), on("Enter", button)]).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
