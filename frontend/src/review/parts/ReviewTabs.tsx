import { useLingui } from "@lingui/react/macro";
import { Link, useMatchRoute } from "@tanstack/react-router";
import { useProject } from "../../projects/queries";
import { intoView } from "../../ui/intoView";
import classes from "../Review.module.css";

/** The kinds of review: what models suggest, what the live model guesses, what they doubt, what is there twice, and what devices sent back. */
export function ReviewTabs({ project }: { project: string }) {
  const { t } = useLingui();
  const matches = useMatchRoute();
  const { data: own } = useProject(project);
  const base = `/projects/${project}/review`;
  const tabs = [
    [base, t`Suggestions`],
    // It guesses labels of whole images, not boxes.
    ...(own && own.task !== "detection" ? [[`${base}/live`, t`Live guesses`] as const] : []),
    [`${base}/map`, t({ message: "Map", context: "of images" })],
    [`${base}/suspects`, t`Doubtful labels`],
    [`${base}/duplicates`, t`Duplicates`],
    [`${base}/devices`, t`From devices`],
  ] as const;
  return (
    <nav className={classes.tabs} aria-label={t`Kinds of review`}>
      {tabs.map(([to, title]) => {
        const isHere = Boolean(matches({ to }));
        return (
          <Link
            key={to}
            ref={isHere ? intoView : undefined}
            to={to}
            className={classes.tab}
            data-here={isHere || undefined}
            aria-current={isHere ? "page" : undefined}
          >
            {title}
          </Link>
        );
      })}
    </nav>
  );
}
