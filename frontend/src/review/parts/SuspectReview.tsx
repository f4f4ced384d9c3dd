import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  Button,
  Center,
  Group,
  Loader,
  ScrollArea,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useCallback, useState } from "react";
import { asStudioError, isInTheWay } from "../../api/errors";
import type { Label } from "../../api/types";
import { useShortcut } from "../../keyboard/useShortcut";
import { hotkeys, useLabelKeys } from "../../labeling/hotkeys";
import { useLabels, useMayEdit, useProject } from "../../projects/queries";
import { EmptyState } from "../../ui/EmptyState";
import { Icon } from "../../ui/Icon";
import { KeyHint } from "../../ui/KeyHint";
import { LabelChip } from "../../ui/LabelChip";
import { Problem } from "../../ui/Problem";
import { useMarks } from "../marks";
import classes from "../Review.module.css";
import {
  BY_FEATURES,
  keepLabel,
  relabel,
  removeBox,
  removeImage,
  type Suspect,
  type SuspectSearch,
  type SuspectSort,
  useSuspects,
} from "../suspects";
import { Doubt } from "./Doubt";
import { SuggestionImage } from "./SuggestionImage";

interface Props {
  project: string;
  search: SuspectSearch;
  searches: SuspectSearch[];
  choose: (search: SuspectSearch) => void;
  foot: ReactNode;
}

const idOf = ({ model, dataset }: SuspectSearch) => `${model ?? BY_FEATURES} ${dataset}`;

/** One doubtful label after the other: Enter keeps it, M takes the model's, a label's key gives that one. */
export function SuspectReview({ project, search, searches, choose, foot }: Props) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const mayEdit = useMayEdit(project);
  const { data: labels = [] } = useLabels(project);
  const { data: own } = useProject(project);
  const hasSingleLabels = own?.task === "classification";
  const [chosen, setSort] = useState<SuspectSort | null>(null);
  // Of boxes there are no labels of whole images.
  const sort = search.model !== null ? "label" : (chosen ?? (search.total === 0 ? "outlier" : "label"));
  const [areAllShown, setAreAllShown] = useState(false);
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const { data, error, refetch } = useSuspects(project, search, sort, areAllShown, seen.size);
  const open = data?.results.filter(({ id }) => !seen.has(id)) ?? [];
  const [suspect] = open;
  const marks = useMarks(project, suspect?.image);
  // What a wrong one of several labels is taken away by is that label.
  const suggested = labels.find(
    ({ name }) => name === (suspect?.kind === "wrong" ? suspect.label : suspect?.suggested),
  );
  const isOfSeveral = suspect?.kind === "wrong" || suspect?.kind === "missing";
  const act = useCallback(
    async (work: (suspect: Suspect) => Promise<unknown>) => {
      if (!suspect) return;
      // The next one is shown at once; the list leaves this one out when the studio has answered, until an undo.
      setSeen((now) => new Set([...now, suspect.id]));
      try {
        await work(suspect);
      } catch (problem) {
        notifications.show({ color: "red", message: asStudioError(problem).message });
      }
      setSeen((now) => new Set([...now].filter((id) => id !== suspect.id)));
    },
    [suspect],
  );
  const keep = () => void act((one) => keepLabel(project, one, t`Label kept`));
  const take = useCallback(
    (label: Label) =>
      void act((one) =>
        relabel(
          project,
          one,
          label.id,
          one.kind === "wrong" ? t`Remove ${label.name}` : t`Label as ${label.name}`,
        ),
      ),
    [act, project, t],
  );
  const remove = () =>
    void act((one) =>
      one.kind === "outlier"
        ? removeImage(project, one, t`Image deleted`)
        : removeBox(project, one, t`Box removed`),
    );
  const mayRemove = suspect?.kind === "not_seen" || suspect?.kind === "outlier";
  const hasLabels = (suspect?.kind !== "outlier" || hasSingleLabels) && !isOfSeveral;
  const skip = () => {
    if (suspect) setSeen((now) => new Set([...now, suspect.id]));
  };
  const edit = () =>
    suspect &&
    void navigate({
      to: "/projects/$project/images/$image",
      params: { project, image: suspect.image.id },
      state: { isOnTop: true },
    });
  const scope = t`Doubtful labels`;
  const isOff = !mayEdit || !suspect;
  useShortcut({
    id: "suspects.keep",
    scope,
    title: t`Keep the label`,
    keys: "Enter",
    disabled: isOff,
    run: keep,
  });
  useShortcut({
    id: "suspects.take",
    scope,
    title: t`Take the model's label`,
    keys: "M",
    disabled: isOff || !suggested,
    run: () => suggested && take(suggested),
  });
  useShortcut({
    id: "suspects.remove",
    scope,
    title: t`Remove the box, or delete the image`,
    keys: ["X", "Delete"],
    disabled: isOff || !mayRemove,
    run: remove,
  });
  useShortcut({
    id: "suspects.skip",
    scope,
    title: t`Leave it for later`,
    keys: ["Space", "ArrowRight"],
    run: skip,
  });
  useShortcut({
    id: "suspects.edit",
    scope,
    title: t`Open in the annotator`,
    keys: "O",
    run: () => void edit(),
  });
  useLabelKeys(labels, !isOff && hasLabels, take);
  const keys = hotkeys(labels);
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih="60vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  return (
    <div className={classes.page}>
      <section className={classes.stage} data-testid="suspect-image" data-image={suspect?.image.id}>
        {suspect ? (
          <SuggestionImage
            key={suspect.id}
            image={suspect.image}
            marks={marks ?? []}
            labels={labels}
            pointed={suspect.box}
          />
        ) : data.results.length > 0 ? (
          <EmptyState
            icon="circle-check"
            title={
              <Plural value={data.results.length} one="# is left for later" other="# are left for later" />
            }
            action={
              <Button variant="default" onClick={() => setSeen(new Set())}>
                <Trans>Look at them again</Trans>
              </Button>
            }
          />
        ) : (
          <EmptyState icon="circle-check" title={<Trans>No doubtful label is left</Trans>}>
            {areAllShown ? (
              <Trans>Every label that this search looked at was decided.</Trans>
            ) : (
              <Trans>What is left is probably right. You may look at all of it, the least sure first.</Trans>
            )}
          </EmptyState>
        )}
      </section>
      <aside className={classes.side}>
        <Stack>
          <Title order={1} size="h4">
            <Trans>Doubtful labels</Trans>
          </Title>
          {searches.length > 1 && (
            <Select
              aria-label={t`Search`}
              allowDeselect={false}
              data={searches.map((one) => ({
                value: idOf(one),
                label: `${one.model ? `${one.model_name} v${one.model_version}` : t`Without a model`}, ${one.dataset_name}`,
              }))}
              value={idOf(search)}
              onChange={(value) => {
                const next = searches.find((one) => idOf(one) === value);
                if (next) choose(next);
              }}
            />
          )}
          {search.model === null && (
            <SegmentedControl
              aria-label={t`What is looked at`}
              value={sort}
              onChange={(value) => setSort(value as SuspectSort)}
              data={[
                { value: "label", label: t`Labels` },
                { value: "outlier", label: t`Unusual images` },
              ]}
            />
          )}
          <Text size="sm" className="quiet" aria-live="polite">
            {search.model === null && (
              <>
                <Plural value={search.outliers} one="# unusual image" other="# unusual images" />
                {" · "}
              </>
            )}
            <Plural
              value={search.issues}
              one="# label is probably wrong"
              other="# labels are probably wrong"
            />
            {" · "}
            <Plural value={search.decided} one="# decided" other="# decided" />
          </Text>
          {suspect && <Doubt suspect={suspect} labels={labels} />}
          {suspect && mayEdit && (
            <>
              <Group grow>
                <Button leftSection={<Icon name="check" />} onClick={keep}>
                  {suspect.kind === "not_drawn" ? (
                    <Trans>No box</Trans>
                  ) : suspect.kind === "missing" ? (
                    <Trans>It is not there</Trans>
                  ) : (
                    <Trans>Keep it</Trans>
                  )}
                </Button>
                {mayRemove ? (
                  <Button variant="default" className="wrapping" onClick={remove}>
                    {suspect.kind === "outlier" ? (
                      <Trans>Delete the image</Trans>
                    ) : (
                      <Trans>Remove the box</Trans>
                    )}
                  </Button>
                ) : (
                  suggested && (
                    <Button variant="default" className="wrapping" onClick={() => take(suggested)}>
                      {suspect.kind === "not_drawn" ? (
                        <Trans>Add the box</Trans>
                      ) : suspect.kind === "missing" ? (
                        <Trans>Add {suggested.name}</Trans>
                      ) : suspect.kind === "wrong" ? (
                        <Trans>Remove {suggested.name}</Trans>
                      ) : (
                        <Trans>Take {suggested.name}</Trans>
                      )}
                    </Button>
                  )
                )}
              </Group>
              {hasLabels && (
                <Text size="xs" className="quiet">
                  <Trans>Or give it another label:</Trans>
                </Text>
              )}
              <ScrollArea.Autosize mah={190}>
                <Group gap={6}>
                  {(hasLabels ? labels : []).map((label) => (
                    <Button
                      key={label.id}
                      size="compact-sm"
                      variant="default"
                      onClick={() => take(label)}
                      rightSection={keys.has(label.id) && <KeyHint>{keys.get(label.id)}</KeyHint>}
                    >
                      <LabelChip label={label} />
                    </Button>
                  ))}
                </Group>
              </ScrollArea.Autosize>
            </>
          )}
          {suspect && (
            <Group grow>
              <Button variant="subtle" onClick={skip}>
                <Trans>Later</Trans>
              </Button>
              <Button
                variant="subtle"
                component={Link}
                to={`/projects/${project}/images/${suspect.image.id}`}
                state={{ isOnTop: true }}
              >
                <Trans>Correct</Trans>
              </Button>
            </Group>
          )}
          <Switch
            label={t`Also those that are probably right`}
            checked={areAllShown}
            onChange={(event) => setAreAllShown(event.currentTarget.checked)}
          />
          {foot}
        </Stack>
      </aside>
    </div>
  );
}
