import { Trans, useLingui } from "@lingui/react/macro";
import { Collapse, Loader, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { asStudioError } from "../../api/errors";
import { useSimilar } from "../../live/queries";
import { Icon } from "../../ui/Icon";
import { formatPercent } from "../../ui/numbers";
import classes from "../Annotator.module.css";

/** The images of the project that are most like this one, looked for when somebody asks. */
export function SimilarImages({ project, image }: { project: string; image: string }) {
  const { t, i18n } = useLingui();
  const [isOpen, { toggle }] = useDisclosure(false);
  const { data, error } = useSimilar(project, image, isOpen);
  const problem = error ? asStudioError(error) : null;
  return (
    <section>
      <UnstyledButton className={classes.row} onClick={toggle} aria-expanded={isOpen}>
        <Icon name={isOpen ? "chevron-down" : "chevron-right"} size={14} />
        <span className={classes.text}>
          <Trans>More like this</Trans>
        </span>
      </UnstyledButton>
      <Collapse expanded={isOpen}>
        {isOpen && !data && !problem && <Loader size="xs" mx={8} aria-label={t`Loading`} />}
        {(problem || data?.length === 0) && (
          <Text size="xs" className="quiet" px={8}>
            {problem?.code === "not_embedded" && (
              <Trans>This image is not compared with the others yet. Try again in some seconds.</Trans>
            )}
            {problem?.code === "no_embedder" && (
              <Trans>Images can be compared once a model is trained, or pretrained weights are here.</Trans>
            )}
            {problem && !["not_embedded", "no_embedder"].includes(problem.code) && problem.message}
            {!problem && <Trans>There is no other image yet.</Trans>}
          </Text>
        )}
        {data && data.length > 0 && (
          <div className={classes.similar}>
            {data.map((row) => (
              <Link
                key={row.image.id}
                to="/projects/$project/images/$image"
                params={{ project, image: row.image.id }}
                title={`${row.image.filename}, ${formatPercent(Math.max(0, row.similarity), i18n.locale)}`}
              >
                <img src={row.image.thumbnail} alt={row.image.filename} loading="lazy" />
              </Link>
            ))}
          </div>
        )}
      </Collapse>
    </section>
  );
}
