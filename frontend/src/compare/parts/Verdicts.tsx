import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Stack, Text } from "@mantine/core";
import { formatNumber } from "../../ui/numbers";
import type { Comparison, Pair } from "../queries";
import { verdictOf } from "../rows";

/** What can be said about the first model and each of the others, in sentences. */
export function Verdicts({ comparison }: { comparison: Comparison }) {
  const [base] = comparison.models;
  const pairs = comparison.pairs.filter(({ first }) => first === base?.id);
  const nameOf = (id: string) => {
    const model = comparison.models.find((one) => one.id === id);
    return model ? `${model.name} v${model.version}` : "";
  };
  return (
    <Stack gap="sm">
      {pairs.map((pair) => (
        <VerdictText key={pair.second} pair={pair} first={nameOf(pair.first)} second={nameOf(pair.second)} />
      ))}
      <Text size="sm" className="quiet">
        <Plural
          value={comparison.images}
          one="Measured on one image that both have been asked about."
          other="Measured on the same # images."
        />
        {comparison.images < 100 && (
          <>
            {" "}
            <Trans>With so few, only large differences can be told from luck.</Trans>
          </>
        )}
      </Text>
    </Stack>
  );
}

interface Props {
  pair: Pair;
  first: string;
  second: string;
}

function VerdictText({ pair, first, second }: Props) {
  const { i18n } = useLingui();
  const verdict = verdictOf(pair);
  const shown = (value: number) =>
    new Intl.NumberFormat(i18n.locale, { maximumFractionDigits: 1 }).format(value);
  const points = shown(verdict.points);
  const [from, to] = [shown(verdict.from), shown(verdict.to)];
  const chance = formatNumber(pair.p_value, i18n.locale);
  return (
    <div>
      <Text size="lg">
        {verdict.kind === "better" && (
          <Trans>
            <b>{second}</b> is better than <b>{first}</b> by {points} points ({from} to {to}): more than luck.
          </Trans>
        )}
        {verdict.kind === "worse" && (
          <Trans>
            <b>{second}</b> is worse than <b>{first}</b> by {points} points ({from} to {to}): more than luck.
          </Trans>
        )}
        {verdict.kind === "open" && (
          <Trans>
            <b>{second}</b> and <b>{first}</b> are {points} points apart, which may be luck: between {from}{" "}
            and {to} points.
          </Trans>
        )}
        {verdict.kind === "same" && (
          <Trans>
            <b>{second}</b> is as good as <b>{first}</b> on these images.
          </Trans>
        )}
      </Text>
      <Text size="xs" className="quiet">
        {pair.test === "mcnemar_exact" ? (
          <Trans>
            Only {first} is right on {pair.only_first ?? 0} images, only {second} on {pair.only_second ?? 0}.
            McNemar’s exact test: p = {chance}
          </Trans>
        ) : (
          <Trans>AP50, paired bootstrap over the images: p = {chance}</Trans>
        )}
      </Text>
    </div>
  );
}
