import { useLingui } from "@lingui/react/macro";

/** "about 3 min": how long something takes, as precisely as one can know it. */
export function Duration({ seconds }: { seconds: number }) {
  const { t } = useLingui();
  if (seconds < 60) return <>{t`less than a minute`}</>;
  if (seconds < 5400) return <>{t`about ${Math.round(seconds / 60)} min`}</>;
  return <>{t`about ${Math.round(seconds / 3600)} h`}</>;
}
