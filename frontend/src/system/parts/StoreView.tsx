import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Stack, Text } from "@mantine/core";
import { ago } from "../../devices/seen";
import { formatBytes } from "../../ui/bytes";
import { Icon } from "../../ui/Icon";
import type { StoreStatus } from "../queries";

/** How the store answers, and what is where. */
export function StoreView({ store }: { store: StoreStatus }) {
  const { t, i18n } = useLingui();
  const bytes = (count: number) => formatBytes(count, i18n.locale);
  const number = (count: number) => new Intl.NumberFormat(i18n.locale).format(count);
  const places: Record<StoreStatus["files"][number]["state"], string> = {
    cached: t`in the cache alone`,
    replicated: t`in the cache and in the store`,
    remote: t`in the store alone`,
  };
  return (
    <Stack gap={6}>
      <Text size="sm" c={store.answers ? "var(--studio-good)" : "var(--studio-bad)"}>
        <Icon name={store.answers ? "check" : "alert-triangle"} size={14} /> {store.backend}: {store.store}
      </Text>
      {store.files.map((row) => (
        <Text size="sm" key={`${row.state}${row.backend}`}>
          <Trans>
            {places[row.state]}: {number(row.files)} files, {bytes(row.bytes)}
          </Trans>
          {row.backend && row.backend !== store.backend && ` (${row.backend})`}
        </Text>
      ))}
      <Text size="sm">
        {store.cache_limit_bytes === 0 ? (
          <Trans>The cache takes {bytes(store.cache_bytes)} and has no limit.</Trans>
        ) : (
          <Trans>
            The cache takes {bytes(store.cache_bytes)} of {bytes(store.cache_limit_bytes)}.
          </Trans>
        )}
      </Text>
      <Text size="sm">
        {store.waiting.files === 0 || store.waiting.oldest === null ? (
          <Trans>No file waits for the store.</Trans>
        ) : (
          <Trans>
            {number(store.waiting.files)} files with {bytes(store.waiting.bytes)} wait for the store, the
            oldest came {ago(store.waiting.oldest, Date.now(), i18n.locale)}.
          </Trans>
        )}
      </Text>
      {store.failing > 0 && (
        <Text size="sm" c="var(--studio-warn)">
          <Icon name="alert-triangle" size={14} />{" "}
          <Plural value={store.failing} one="The store refused # file:" other="The store refused # files:" />{" "}
          {store.last_problem}
        </Text>
      )}
      {store.removals > 0 && (
        <Text size="sm">
          <Plural
            value={store.removals}
            one="# file waits to be deleted."
            other="# files wait to be deleted."
          />
        </Text>
      )}
    </Stack>
  );
}
