import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Progress, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useSession } from "../../api/session";
import type { Label } from "../../api/types";
import { EmptyState } from "../../ui/EmptyState";
import { formatPercent } from "../../ui/numbers";
import { type LiveModel, labelsWithoutImages, rightOf } from "../guesses";
import { Learning } from "./Learning";

interface Props {
  project: string;
  live: LiveModel;
  labels: readonly Label[];
  /** Whether images may have none to many labels. */
  hasSeveral: boolean;
}

/** How the live model stands: what it has learned from and how good it is, or why it does not guess yet. */
export function Standing({ project, live, labels, hasSeveral }: Props) {
  const { t } = useLingui();
  const { embedded, images } = live;
  return (
    <Stack gap={6}>
      {live.version > 0 && <Learned live={live} hasSeveral={hasSeveral} />}
      {live.version > 0 && <Unknown live={live} labels={labels} />}
      {live.version > 0 && <Learning project={project} live={live} labels={labels} />}
      {live.embedder !== null && embedded === 0 && images > 0 && (
        <Text size="sm">
          <Trans>
            The network that compares images is being prepared. On a new studio this takes some seconds, or
            minutes while the machine is busy.
          </Trans>
        </Text>
      )}
      {live.embedder !== null && embedded > 0 && embedded < images && (
        <div>
          <Text size="sm">
            <Trans>
              Compares images: {embedded} of {images}
            </Trans>
          </Text>
          <Progress value={(100 * embedded) / images} maw={420} mt={4} aria-label={t`Images compared`} />
        </div>
      )}
      {live.code !== "" && live.version === 0 && <NotYet project={project} live={live} />}
    </Stack>
  );
}

function Learned({ live, hasSeveral }: Pick<Props, "live" | "hasSeveral">) {
  const { i18n } = useLingui();
  const { labelled, held_out: total } = live;
  const right = rightOf(live);
  const share = formatPercent(live.accuracy ?? 0, i18n.locale);
  return (
    <Text size="sm" aria-live="polite">
      <Plural value={labelled} one="Learned from # labelled image" other="Learned from # labelled images" />
      {"; "}
      {right === null ? (
        <Trans>these are too few to say how often it is right.</Trans>
      ) : hasSeveral ? (
        <Trans>
          all labels right on {right} of {total} that it had not seen ({share}).
        </Trans>
      ) : (
        <Trans>
          right on {right} of {total} that it had not seen ({share}).
        </Trans>
      )}
    </Text>
  );
}

const MOST_NAMES = 6;

/** Labels that no image carries: what shows one of these is guessed to be something else, however surely. */
function Unknown({ live, labels }: Pick<Props, "live" | "labels">) {
  const { i18n } = useLingui();
  const unknown = labelsWithoutImages(labels, live);
  if (unknown.length === 0) return null;
  const names = unknown.slice(0, MOST_NAMES).map(({ name }) => name);
  const list = new Intl.ListFormat(i18n.locale).format([
    ...names,
    ...(unknown.length > names.length ? [`+${unknown.length - names.length}`] : []),
  ]);
  return (
    <Text size="sm" className="quiet">
      <Trans>It cannot guess {list} yet: label an image of each.</Trans>
    </Text>
  );
}

/** Why there are no guesses, and what to do about it. */
function NotYet({ project, live }: { project: string; live: LiveModel }) {
  const isStaff = useSession()?.user?.is_staff ?? false;
  const base = `/projects/${project}`;
  const link = (to: string, text: ReactNode) => (
    <Button component={Link} to={to}>
      {text}
    </Button>
  );
  const weights = isStaff
    ? link("/system/storage", <Trans>To the pretrained weights</Trans>)
    : link(`${base}/trainings/new`, <Trans>Train a model</Trans>);
  const reasons: Record<string, [ReactNode, ReactNode, ReactNode?]> = {
    no_embedder: [
      <Trans key="t">Nothing here can compare images yet</Trans>,
      <Trans key="d">
        It takes pretrained weights, which administrators add under System, Storage, or a first trained model
        of the project.
      </Trans>,
      weights,
    ],
    no_images: [
      <Trans key="t">No images yet</Trans>,
      <Trans key="d">Add images first.</Trans>,
      link(`${base}/import`, <Trans>Add images</Trans>),
    ],
    too_few_labels: [
      <Trans key="t">It has nothing to learn from yet</Trans>,
      <Trans key="d">Label at least one image for each of two labels. Guesses come within seconds.</Trans>,
      link(`${base}/label`, <Trans>Label images</Trans>),
    ],
    embedding: [
      <Trans key="t">The images are being compared with each other</Trans>,
      <Trans key="d">Guesses come as soon as some are ready.</Trans>,
    ],
    fitting: [
      <Trans key="t">It is learning</Trans>,
      <Trans key="d">The first guesses come within seconds.</Trans>,
    ],
    too_few_images: [
      <Trans key="t">It has nothing to learn from yet</Trans>,
      <Trans key="d">
        Label at least one image with a label and one without it. Guesses come within seconds.
      </Trans>,
      link(`${base}/label`, <Trans>Label images</Trans>),
    ],
    not_for_detection: [
      <Trans key="t">Boxes are guessed in the annotator</Trans>,
      live.boxes ? (
        <Plural
          key="d"
          value={live.boxes.boxes}
          one="It has learned from # box, and says there what the boxes show that a detector suggests."
          other="It has learned from # boxes, and says there what the boxes show that a detector suggests."
        />
      ) : (
        <Trans key="d">
          Train a detector and let it suggest boxes. With each one that you confirm or correct it says better
          what the others show.
        </Trans>
      ),
    ],
  };
  const [title, text, action] = reasons[live.code] ?? [<Trans key="t">No guesses yet</Trans>, live.detail];
  return (
    <EmptyState icon="sparkles" title={title} action={action}>
      {text}
    </EmptyState>
  );
}
