import { Trans } from "@lingui/react/macro";
import { AppShell } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";
import { useEvents } from "../api/events";
import { UploadPanel } from "../imports/UploadPanel";
import { usePreferenceSync } from "../preferences/usePreferenceSync";
import { useTrainingEnds } from "../trainings/useTrainingEnds";
import { CommandPalette } from "./CommandPalette";
import { IsWithinMain } from "./ErrorPage";
import { LoginNotice } from "./LoginNotice";
import { refresher } from "./queries";
import { TopBar } from "./TopBar";
import { useNoStrayDrops } from "./useNoStrayDrops";

/** The frame of every page behind the login. */
export function Shell() {
  useEvents(refresher);
  usePreferenceSync();
  useNoStrayDrops();
  useTrainingEnds();
  return (
    <AppShell header={{ height: 52 }} padding={0}>
      <a className="skip-link" href="#main">
        <Trans>Skip to the content</Trans>
      </a>
      <AppShell.Header>
        <TopBar />
      </AppShell.Header>
      <AppShell.Main id="main" tabIndex={-1}>
        <LoginNotice />
        <IsWithinMain value>
          <Outlet />
        </IsWithinMain>
      </AppShell.Main>
      <UploadPanel />
      <CommandPalette />
    </AppShell>
  );
}
