import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Paper, Slider, Text } from "@mantine/core";
import { formatPercent } from "../../ui/numbers";
import { LOWEST } from "../shown";
import classes from "../Try.module.css";

interface Props {
  /** Null: what each model itself says. */
  value: number | null;
  usual: number;
  onChange: (value: number | null) => void;
}

/** How sure a model has to be of what is shown. Nothing is asked again when it moves. */
export function Threshold({ value, usual, onChange }: Props) {
  const { t, i18n } = useLingui();
  const percent = (share: number) => formatPercent(share, i18n.locale);
  return (
    <Paper className="panel" p="md" component="section" aria-label={t`Threshold`}>
      <div className={classes.threshold}>
        <Text size="sm" style={{ whiteSpace: "nowrap" }}>
          <Trans>At least this sure</Trans>
        </Text>
        <Slider
          min={LOWEST}
          max={1}
          step={0.01}
          label={percent}
          value={value ?? Math.max(usual, LOWEST)}
          onChange={onChange}
          thumbLabel={t`At least this sure`}
        />
        <Text size="sm" w={52} style={{ fontVariantNumeric: "tabular-nums" }}>
          {value === null ? <Trans>usual</Trans> : percent(value)}
        </Text>
        <Button size="compact-sm" variant="default" disabled={value === null} onClick={() => onChange(null)}>
          <Trans>As usual</Trans>
        </Button>
      </div>
    </Paper>
  );
}
