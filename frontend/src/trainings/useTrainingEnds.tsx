import { useLingui } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { onStudioEvent } from "../api/events";
import { useMe } from "../api/session";
import { nameOfProject } from "../projects/queries";
import { type Ended, endOf } from "./ended";

/** Says on every page when one's own training has ended: here, in the title of the tab, and by the browser if it may. */
export function useTrainingEnds(): void {
  const { t } = useLingui();
  const { username } = useMe();
  const router = useRouter();
  const tell = useRef<(ended: Ended) => void>(() => undefined);
  tell.current = (ended) => {
    const address = `/projects/${ended.project}/trainings/${ended.id}`;
    const isFine = ended.state === "succeeded";
    const title = isFine ? t`The training is done` : t`The training has failed`;
    const open = () => void router.navigate({ to: address });
    if (document.visibilityState === "hidden") {
      markTitle(`${isFine ? "✓" : "✗"} ${title}`);
      notifyByBrowser(title, ended, open);
    }
    if (router.state.location.pathname === address) return;
    const toast = notifications.show({
      color: isFine ? "green" : "red",
      autoClose: 60_000,
      title,
      message: (
        <Group justify="space-between" wrap="nowrap">
          <span>{ended.name}</span>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              notifications.hide(toast);
              open();
            }}
          >
            {t`Show`}
          </Button>
        </Group>
      ),
    });
  };
  useEffect(() => {
    const known = new Set<string>();
    return onStudioEvent((event) => {
      const ended = endOf(event, username, known);
      if (!ended) return;
      void named(ended).then((whole) => tell.current(whole));
    });
  }, [username]);
}

/** A training without a name of its own is that of its project. */
async function named(ended: Ended): Promise<Ended> {
  return { ...ended, name: ended.name || (await nameOfProject(ended.project)) };
}

/** The title of the tab says it until somebody looks. */
function markTitle(text: string): void {
  const before = document.title;
  document.title = text;
  const back = () => {
    if (document.visibilityState !== "visible") return;
    document.removeEventListener("visibilitychange", back);
    if (document.title === text) document.title = /^\S+ %/.test(before) ? "ML Studio" : before;
  };
  document.addEventListener("visibilitychange", back);
}

/** Several tabs say the same under one tag, which a browser shows once. */
function notifyByBrowser(title: string, ended: Ended, open: () => void): void {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body: ended.name, tag: ended.id });
  shown.onclick = () => {
    window.focus();
    open();
    shown.close();
  };
}
