import "./app/mantine";
import "./app/base.css";
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { activateLanguage, preferredLanguage } from "./app/language";
import { queryClient } from "./app/queries";
import { theme } from "./app/theme";
import { KeyboardProvider } from "./keyboard/KeyboardProvider";
import { startOutbox } from "./outbox/outbox";
import { router } from "./router";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="nonce"]')?.nonce ?? "";
// For the library beneath the dialogs, which writes a style of its own.
setNonce(nonce);

// A chunk of the version before: the studio was upgraded while this tab was open.
window.addEventListener("vite:preloadError", (event) => {
  event.preventDefault();
  window.location.reload();
});

async function start() {
  await activateLanguage(preferredLanguage(localStorage.getItem("studio.language"), navigator.languages));
  startOutbox();
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <I18nProvider i18n={i18n}>
        <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
          <Notifications position="bottom-center" limit={3} />
          <QueryClientProvider client={queryClient}>
            <KeyboardProvider router={router}>
              <RouterProvider router={router} />
            </KeyboardProvider>
          </QueryClientProvider>
        </MantineProvider>
      </I18nProvider>
    </StrictMode>,
  );
}

void start();
