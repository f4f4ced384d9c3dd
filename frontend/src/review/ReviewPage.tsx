import { plural } from "@lingui/core/macro";
import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Group, Loader, Slider, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { isInTheWay } from "../api/errors";
import type { Filter } from "../gallery/filter";
import { pageQuery, useFacets } from "../gallery/queries";
import { undo } from "../history/history";
import { tellDone, tellProblem } from "../history/tell";
import { useShortcut } from "../keyboard/useShortcut";
import { useLiveModel } from "../live/queries";
import { useLabels, useMayEdit, useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { LabelChip } from "../ui/LabelChip";
import { formatNumber, formatPercent } from "../ui/numbers";
import { Problem } from "../ui/Problem";
import { byLabel, scoreText } from "./guesses";
import { useMarks } from "./marks";
import { ReviewTabs } from "./parts/ReviewTabs";
import { SuggestionImage } from "./parts/SuggestionImage";
import { review, reviewAbove } from "./queries";
import classes from "./Review.module.css";

/** So many images are loaded at a time; more of them may be left for later than a gallery shows at once. */
const BATCH = 200;

export default function ReviewPage() {
  const { project } = useParams({ from: "/shell/projects/$project/review" });
  const search = useSearch({ from: "/shell/projects/$project/review" });
  const among = useMemo<Filter>(() => ({ ...search, has_suggestions: true }), [search]);
  const { data: own } = useProject(project);
  const { data: live } = useLiveModel(project, own !== undefined && own.task !== "detection");
  const guesses = live?.guesses ?? 0;
  return (
    <>
      <ReviewTabs project={project} />
      <Suggestions
        project={project}
        among={among}
        empty={{
          title: <Trans>Nothing waits for a review</Trans>,
          text: (
            <Trans>Suggestions of models and annotations that an import was not sure of appear here.</Trans>
          ),
          action: guesses > 0 && (
            <Button component={Link} to={`/projects/${project}/review/live`}>
              <Plural value={guesses} one="Look at # live guess" other="Look at # live guesses" />
            </Button>
          ),
        }}
      />
    </>
  );
}

interface Props {
  project: string;
  /** Which images; an image without a suggestion is corrected, not accepted. */
  among: Filter;
  /** What is said where none is left. */
  empty: { title: ReactNode; text: ReactNode; action?: ReactNode };
}

/** What models suggested, one image after the other: Enter takes, X rejects; or all above a score at once. */
export function Suggestions({ project, among, empty }: Props) {
  const { t, i18n } = useLingui();
  const mayEdit = useMayEdit(project);
  const { data: labels = [] } = useLabels(project);
  const [score, setScore] = useState(0.9);
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const filter = useMemo<Filter>(() => ({ ...among, ordering: "id" }), [among]);
  const { data, error, refetch } = useQuery(pageQuery(project, filter, 0, BATCH));
  const { data: facets } = useFacets(project, filter);
  const { data: above } = useFacets(project, { ...filter, min_score: score });
  const open = data?.results.filter(({ id }) => !seen.has(id)) ?? [];
  const [image] = open;
  const marks = useMarks(project, image);
  const guesses = marks?.filter(({ confirmed }) => !confirmed) ?? [];
  const decide = async (choice: "confirm" | "reject" | null) => {
    if (!image) return;
    setSeen((now) => new Set([...now, image.id]));
    if (open.length < 5) void refetch();
    if (!choice || !mayEdit) return;
    try {
      await review(
        project,
        image.id,
        image.filename,
        choice,
        choice === "confirm" ? t`Accepted suggestions` : t`Rejected suggestions`,
      );
    } catch (problem) {
      tellProblem(problem);
    }
    // From here on the list leaves it out by itself, until an undo.
    setSeen((now) => new Set([...now].filter((id) => id !== image.id)));
  };
  const takeAll = async () => {
    try {
      const title = t`Accept all of ${formatPercent(score, i18n.locale)} or more`;
      const { changed } = await reviewAbove(project, filter, score, title);
      const message = <Plural value={changed} one="# suggestion accepted." other="# suggestions accepted." />;
      tellDone({ title, message, undoWord: t`Undo`, undo: () => undo(project) });
      await refetch();
    } catch (problem) {
      tellProblem(problem);
    }
  };
  const scope = t`Review`;
  useShortcut({
    id: "review.take",
    scope,
    title: t`Accept the suggestions`,
    keys: "Enter",
    disabled: !mayEdit || guesses.length === 0,
    run: () => void decide("confirm"),
  });
  useShortcut({
    id: "review.reject",
    scope,
    title: t`Reject the suggestions`,
    keys: "X",
    disabled: !mayEdit || guesses.length === 0,
    run: () => void decide("reject"),
  });
  useShortcut({
    id: "review.skip",
    scope,
    title: t`Leave it for later`,
    keys: ["Space", "ArrowRight"],
    run: () => void decide(null),
  });
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih="60vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  if (!image)
    return (
      <EmptyState
        icon="circle-check"
        title={empty.title}
        action={
          empty.action || (
            <Button component={Link} to={`/projects/${project}/images`} variant="default">
              <Trans>To the images</Trans>
            </Button>
          )
        }
      >
        {empty.text}
      </EmptyState>
    );
  return (
    <div className={classes.page}>
      <section className={classes.stage} data-testid="review-image" data-image={image.id}>
        <SuggestionImage key={image.id} image={image} marks={marks ?? []} labels={labels} />
      </section>
      <aside className={classes.side}>
        <Stack>
          <Title order={1} size="h4">
            <Trans>Review suggestions</Trans>
          </Title>
          <Text size="sm" className="quiet">
            <Plural value={facets?.total ?? 0} one="# image waits" other="# images wait" />
          </Text>
          <Stack gap={4}>
            {byLabel(guesses).map((row) => {
              const label = labels.find(({ id }) => id === row.label);
              return (
                <Group key={row.label} justify="space-between" wrap="nowrap">
                  <Group gap={6} wrap="nowrap" miw={0}>
                    {label && <LabelChip label={label} />}
                    {row.count > 1 && <Text size="sm">× {formatNumber(row.count, i18n.locale)}</Text>}
                  </Group>
                  <Text size="sm" className="quiet" style={{ whiteSpace: "nowrap" }}>
                    {scoreText(row)}
                  </Text>
                </Group>
              );
            })}
          </Stack>
          {marks && guesses.length === 0 && (
            <Text size="sm">
              <Trans>No model has suggested anything here. Label it yourself.</Trans>
            </Text>
          )}
          {mayEdit && guesses.length > 0 && (
            <Group grow>
              <Button px="xs" leftSection={<Icon name="check" />} onClick={() => void decide("confirm")}>
                <Trans>Accept</Trans>
              </Button>
              <Button
                px="xs"
                variant="default"
                leftSection={<Icon name="x" />}
                onClick={() => void decide("reject")}
              >
                <Trans>Reject</Trans>
              </Button>
            </Group>
          )}
          <Group grow>
            <Button px="xs" variant="subtle" onClick={() => void decide(null)}>
              <Trans>Later</Trans>
            </Button>
            <Button
              px="xs"
              variant={marks && guesses.length === 0 ? "filled" : "subtle"}
              component={Link}
              to={`/projects/${project}/images/${image.id}`}
            >
              <Trans>Correct</Trans>
            </Button>
          </Group>
          {mayEdit && (
            <Stack gap={6} mt="lg">
              <Text size="sm" fw={600}>
                <Trans>All at once</Trans>
              </Text>
              <Slider
                min={0.5}
                max={1}
                step={0.01}
                value={score}
                onChange={setScore}
                label={(value) => `${Math.round(100 * value)} %`}
                thumbLabel={t`Lowest score`}
              />
              <Button
                variant="default"
                className="wrapping"
                onClick={() => void takeAll()}
                disabled={above?.total === 0}
              >
                {t`Accept all of ${formatPercent(score, i18n.locale)} or more (${plural(above?.total ?? 0, { one: "# image", other: "# images" })})`}
              </Button>
            </Stack>
          )}
        </Stack>
      </aside>
    </div>
  );
}
