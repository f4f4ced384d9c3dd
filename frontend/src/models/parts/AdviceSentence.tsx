import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { formatBytes } from "../../ui/bytes";
import { formatNumber } from "../../ui/numbers";
import { adviceFor, type ModelExport } from "../advice";

/** Which of the files a small computer should run, and why. */
export function AdviceSentence({ exports }: { exports: ModelExport[] }) {
  const { i18n } = useLingui();
  const advice = adviceFor(exports);
  if (!advice?.chosen.file) return null;
  const { chosen, timesSmaller, tooLossy } = advice;
  const size = formatBytes(chosen.file?.size ?? 0, i18n.locale);
  const time = formatNumber(chosen.file?.report.latency_ms ?? 0, i18n.locale);
  const times = formatNumber(timesSmaller, i18n.locale);
  const lossy = tooLossy.map(({ title }) => title).join("; ");
  return (
    <Text>
      <Trans>
        For a Raspberry Pi take <strong>{chosen.title}</strong>: of the files that lose at most one point it
        is the quickest here, with {time} ms an image, and has {size}.
      </Trans>{" "}
      {timesSmaller >= 1.2 && <Trans>The largest one is {times} times as large.</Trans>}{" "}
      {lossy && <Trans>Left out as they lose more: {lossy}.</Trans>}
    </Text>
  );
}
