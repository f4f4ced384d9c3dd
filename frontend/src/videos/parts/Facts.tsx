import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { formatBytes } from "../../ui/bytes";
import { formatNumber } from "../../ui/numbers";
import { clockOf } from "../frames";
import type { Video } from "../queries";

/** What the file is, and what is odd of it. */
export function Facts({ video }: { video: Video }) {
  const { i18n } = useLingui();
  const { width, height, fps, duration, size, container, codec, note, is_variable_rate: varies } = video;
  const rate = formatNumber(fps, i18n.locale);
  return (
    <>
      <Text size="sm" className="quiet">
        {clockOf(duration)} · {width} × {height} px · <Trans>{rate} frames a second</Trans> ·{" "}
        {container.toUpperCase()} {codec} · {formatBytes(size, i18n.locale)}
      </Text>
      {varies && (
        <Text size="sm" className="quiet">
          <Trans>Its frames are not evenly apart: their numbers are about right, their times exact.</Trans>
        </Text>
      )}
      {note && (
        <Text size="sm" c="var(--studio-warn)">
          {note}
        </Text>
      )}
    </>
  );
}
