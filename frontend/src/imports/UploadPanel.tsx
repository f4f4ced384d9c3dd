import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Paper, Progress, ScrollArea, Stack, Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { Link, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Icon } from "../ui/Icon";
import { Interrupted } from "./parts/Interrupted";
import { dismissEnded, resumeUploads, retryFailed } from "./sending";
import classes from "./UploadPanel.module.css";
import { clearEnded, type Item, type ItemState, totals, useUploads } from "./uploads";
import { useArrived } from "./useArrived";

const SHOWN = 200;
const QUIET_AFTER = 10_000;
const TROUBLED: ReadonlySet<ItemState> = new Set(["failed", "duplicate", "interrupted"]);

/** What is being sent, and what became of each file. Stays over all pages. */
export function UploadPanel() {
  const { t } = useLingui();
  const { items, isOpen } = useUploads();
  const [isWide, setIsWide] = useState(false);
  const { ref, height } = useElementSize<HTMLDivElement>({ box: "border-box" });
  useRoomBelow(height);
  useEffect(() => void resumeUploads(), []);
  useArrived();
  const isDone = items.length > 0 && items.every(({ state, job }) => state === "done" && !job);
  // Where all went well there is nothing to read.
  useEffect(() => {
    if (!isDone || isWide) return undefined;
    const timer = setTimeout(clearEnded, QUIET_AFTER);
    return () => clearTimeout(timer);
  }, [isDone, isWide]);
  // On the next page nobody looks for files that were here before, and the panel would lie over its buttons.
  const page = useRouterState({ select: ({ location }) => location.pathname });
  useEffect(() => {
    const now = useUploads.getState().items;
    if (now.every(({ state, job }) => (state === "done" || state === "duplicate") && !job)) clearEnded();
  }, [page]);
  if (!isOpen || items.length === 0) return null;
  const sum = totals(items);
  const isEnded = sum.ended === sum.count;
  const added = items.findLast(({ state, kind, job }) => state === "done" && kind === "image" && !job);
  const troubled = items.filter(({ state, job }) => TROUBLED.has(state) || job);
  const shown = [...items.filter(isBegun), ...troubled, ...(isWide ? items : [])];
  return (
    <Paper ref={ref} className={`panel ${classes.panel}`} role="region" aria-label={t`Uploads`}>
      <Stack gap={6} className={classes.body}>
        <Group justify="space-between" wrap="nowrap">
          <Text fw={600} size="sm" aria-live="polite">
            {isEnded && sum.done + sum.duplicates === 0 && sum.failed > 0 ? (
              <Trans>Nothing was taken</Trans>
            ) : isEnded && sum.done + sum.duplicates === 0 ? (
              <Trans>Interrupted</Trans>
            ) : isEnded ? (
              <Plural value={sum.done} one="# file is here" other="# files are here" />
            ) : (
              <Trans>
                {sum.ended} of {sum.count} sent
              </Trans>
            )}
          </Text>
          <Group gap={4} wrap="nowrap">
            {isEnded && added && !page.endsWith("/images") && (
              <Button
                component={Link}
                to={`/projects/${added.project}/images`}
                size="compact-xs"
                variant="default"
              >
                <Trans>To the images</Trans>
              </Button>
            )}
            <ActionIcon
              variant="subtle"
              color="gray"
              onClick={() => setIsWide(!isWide)}
              aria-expanded={isWide}
              aria-label={t`Show each file`}
            >
              <Icon name={isWide ? "chevron-down" : "chevron-right"} />
            </ActionIcon>
            {isEnded && (
              <ActionIcon variant="subtle" color="gray" onClick={dismissEnded} aria-label={t`Close`}>
                <Icon name="x" />
              </ActionIcon>
            )}
          </Group>
        </Group>
        {!isEnded && (
          <Progress value={sum.bytes > 0 ? (100 * sum.sent) / sum.bytes : 0} aria-label={t`Sent`} />
        )}
        {sum.duplicates > 0 && (
          <Text size="xs" className="quiet">
            <Plural value={sum.duplicates} one="# was here already." other="# were here already." />
          </Text>
        )}
        {sum.failed > 0 && (
          <Group justify="space-between">
            <Text size="xs" c="var(--studio-bad)">
              <Plural value={sum.failed} one="# could not be taken." other="# could not be taken." />
            </Text>
            <Button size="compact-xs" variant="default" onClick={retryFailed}>
              <Trans>Retry all failed</Trans>
            </Button>
          </Group>
        )}
        {sum.interrupted > 0 && <Interrupted count={sum.interrupted} />}
        {shown.length > 0 && (
          <ScrollArea.Autosize mah={isWide ? 320 : 120}>
            {[...new Set(shown)].slice(0, SHOWN).map((item) => (
              <FileRow key={item.id} item={item} isLookedAt={!!item.job && page.endsWith(item.job)} />
            ))}
          </ScrollArea.Autosize>
        )}
      </Stack>
    </Paper>
  );
}

/** Being sent, or a large file that waits for the connection to go on. */
function isBegun({ state, sent }: Item): boolean {
  return state === "sending" || (state === "waiting" && sent > 0);
}

/** Pages end where the panel begins, so it lies over nothing of theirs. */
function useRoomBelow(height: number): void {
  useEffect(() => {
    const { style } = document.documentElement;
    style.setProperty("--studio-uploads", `${height}px`);
    return () => void style.removeProperty("--studio-uploads");
  }, [height]);
}

/** `isLookedAt`: the page shows what is in it. */
function FileRow({ item, isLookedAt }: { item: Item; isLookedAt: boolean }) {
  const { t } = useLingui();
  const words = {
    waiting: t`waiting`,
    sending: t`sending`,
    done: t`here`,
    duplicate: t`was here already`,
    failed: t`not taken`,
    interrupted: t`interrupted`,
  };
  const share = item.size > 0 && isBegun(item) ? ` ${Math.floor((100 * item.sent) / item.size)} %` : "";
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs" py={1}>
      <Text size="xs" truncate miw={80} title={item.path}>
        {item.path}
      </Text>
      <Text
        size="xs"
        c={item.state === "failed" ? "var(--studio-bad)" : "var(--studio-quiet)"}
        ta="right"
        maw="75%"
      >
        {item.job && !isLookedAt ? (
          <Link
            to="/projects/$project/import/$job"
            params={{ project: item.project, job: item.job }}
            search={{ dataset: item.dataset }}
          >
            <Trans>Look and import</Trans>
          </Link>
        ) : (
          (item.problem ?? words[item.state])
        )}
        {share}
      </Text>
    </Group>
  );
}
