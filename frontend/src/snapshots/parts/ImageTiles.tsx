import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Loader, Stack, Text } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { isInTheWay } from "../../api/errors";
import type { Label } from "../../api/types";
import { averageColor } from "../../gallery/placeholder";
import { useLabels } from "../../projects/queries";
import { EmptyState } from "../../ui/EmptyState";
import { Swatch } from "../../ui/LabelChip";
import { Problem } from "../../ui/Problem";
import type { SnapshotImage } from "../queries";
import classes from "../Snapshot.module.css";

type Pages = UseInfiniteQueryResult<InfiniteData<{ results: SnapshotImage[] }>>;

/** Images of a snapshot, page after page. */
export function ImageTiles({ project, pages, empty }: { project: string; pages: Pages; empty: string }) {
  const { t } = useLingui();
  const { data: labels = [] } = useLabels(project);
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = pages;
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih={160}>
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const images = data.pages.flatMap(({ results }) => results);
  if (images.length === 0) return <EmptyState icon="photo" title={empty} />;
  return (
    <Stack>
      <div className={classes.images}>
        {images.map((image) => (
          <ImageTile key={image.id} project={project} image={image} labels={labels} />
        ))}
      </div>
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          <Trans>Show more images</Trans>
        </Button>
      )}
    </Stack>
  );
}

interface TileProps {
  project: string;
  image: SnapshotImage;
  labels: Label[];
}

function ImageTile({ project, image, labels }: TileProps) {
  const { t } = useLingui();
  const splits = { train: t`Train`, validation: t`Validation`, test: t`Test` };
  const name = image.filename ?? t`deleted since`;
  const content = (
    <>
      <span className={classes.picture} style={{ background: averageColor(image.thumbhash) }}>
        <img src={image.thumbnail} alt={image.image ? "" : name} loading="lazy" decoding="async" />
        {image.width && image.height && <Boxes image={image} labels={labels} />}
      </span>
      <Text size="xs" truncate mt={2}>
        {name}
      </Text>
    </>
  );
  const { before } = image;
  return (
    <div>
      {image.image ? (
        <Link
          to="/projects/$project/images/$image"
          params={{ project, image: image.image }}
          state={{ isOnTop: true }}
          className={classes.tile}
        >
          {content}
        </Link>
      ) : (
        <div className={classes.tile}>{content}</div>
      )}
      {before && before.labels.join() !== image.labels.join() && (
        <Names names={before.labels} labels={labels} isOld />
      )}
      <Names names={image.labels} labels={labels} />
      <Text size="xs" className="quiet">
        {before && before.split !== image.split && <>{splits[before.split]} → </>}
        {splits[image.split]}
      </Text>
    </div>
  );
}

function Names({ names, labels, isOld }: { names: string[]; labels: Label[]; isOld?: boolean }) {
  if (names.length === 0) return null;
  return (
    <Text size="xs" truncate td={isOld ? "line-through" : undefined} className={isOld ? "quiet" : undefined}>
      {names.slice(0, 3).map((name) => (
        <span key={name} style={{ marginRight: 8 }}>
          <Swatch color={labels.find((label) => label.name === name)?.color ?? "#888"} size={9} /> {name}
        </span>
      ))}
    </Text>
  );
}

function Boxes({ image, labels }: { image: SnapshotImage; labels: Label[] }) {
  return (
    <svg viewBox={`0 0 ${image.width} ${image.height}`} aria-hidden>
      {image.annotations.map(({ label, box }) => {
        if (!box) return null;
        const [left = 0, top = 0, right = 0, bottom = 0] = box;
        return (
          <rect
            key={`${label}-${box.join()}`}
            x={left}
            y={top}
            width={right - left}
            height={bottom - top}
            fill="none"
            stroke={labels.find(({ name }) => name === label)?.color ?? "#fff"}
            strokeWidth={2}
            vectorEffect="non-scaling-stroke"
          />
        );
      })}
    </svg>
  );
}
