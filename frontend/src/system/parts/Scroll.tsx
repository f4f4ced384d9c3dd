import type { ReactNode } from "react";
import classes from "../System.module.css";

/** A table that may be wider than the screen: it can be scrolled by keys. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it nobody scrolls it by keys (WCAG 2.1.1)
    <section className={classes.scroll} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
