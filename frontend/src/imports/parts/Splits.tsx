import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { formatNumber } from "../../ui/numbers";
import type { FoundSplits } from "../result";

/** How the archive itself divides its images, which the snapshots keep. */
export function Splits({ train, validation, test }: FoundSplits) {
  const { i18n } = useLingui();
  const number = (value: number) => formatNumber(value, i18n.locale);
  return (
    <Text size="sm">
      <Trans>
        It says which images are for what: {number(train)} to train, {number(validation)} to choose the best
        epoch, {number(test)} for the test.
      </Trans>
    </Text>
  );
}
