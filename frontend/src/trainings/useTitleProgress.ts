import { useLingui } from "@lingui/react/macro";
import { useEffect } from "react";
import type { Training } from "./queries";

/** How far it is, in the title of the tab, so that one can look at something else meanwhile. */
export function useTitleProgress(run: Training | undefined): void {
  const { t, i18n } = useLingui();
  const { done = 0, total = 0 } = run?.progress ?? {};
  const share = Math.round(100 * (total ? done / total : 0)) / 100;
  const text =
    run?.state === "running"
      ? t`${share.toLocaleString(i18n.locale, { style: "percent" })} · Training`
      : run?.state === "queued"
        ? t`Training waits`
        : null;
  useEffect(() => {
    if (!text) return undefined;
    const before = document.title;
    document.title = `${text} · ML Studio`;
    return () => {
      // Unless something else has been put there since, such as that it has ended.
      if (document.title === `${text} · ML Studio`) document.title = before;
    };
  }, [text]);
}
