import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Loader, Stack, Text } from "@mantine/core";
import { isInTheWay } from "../../api/errors";
import { EmptyState } from "../../ui/EmptyState";
import { Problem } from "../../ui/Problem";
import classes from "../Quality.module.css";
import { type Evaluation, useBehind } from "../queries";
import { type QualitySearch, withBehind } from "../search";
import { Tile } from "./Tile";

interface Props {
  project: string;
  evaluation: Evaluation;
  search: QualitySearch;
  go: (next: QualitySearch) => void;
}

/** Where it fails worst: the mistakes that it is surest of, or of a detector the images with most of them. */
export function Mistakes({ project, evaluation, search, go }: Props) {
  const { t } = useLingui();
  const { task } = evaluation.metrics;
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useBehind(
    project,
    evaluation,
    { outcome: "wrong" },
  );
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih={240}>
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const images = data.pages.flatMap(({ results }) => results);
  if (images.length === 0)
    return (
      <EmptyState icon="circle-check" title={<Trans>No mistake on these images</Trans>}>
        <Trans>Measure it on more and more varied images to see where it fails.</Trans>
      </EmptyState>
    );
  return (
    <Stack>
      <Text size="sm" className="quiet">
        <Plural value={data.pages[0]?.count ?? 0} one="# image" other="# images" />
        {" · "}
        {task !== "classification" ? (
          <Trans>those with the most false alarms and misses first</Trans>
        ) : (
          <Trans>those first of which it is surest: look whether the label is right</Trans>
        )}
      </Text>
      <ul className={classes.tiles} aria-label={t`Worst mistakes`}>
        {images.map((outcome) => (
          <li key={outcome.image}>
            <Tile
              outcome={outcome}
              isCurrent={false}
              choose={() => go({ ...withBehind(search, { outcome: "wrong" }), image: outcome.image })}
            />
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          <Trans>Show more images</Trans>
        </Button>
      )}
    </Stack>
  );
}
