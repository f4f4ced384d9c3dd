/** "97 %" in the language of the page. */
export function formatPercent(value: number, locale: string, digits = 0): string {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: digits }).format(value);
}

/** "0.0031": as many digits as tell something. A whole number is a count or a setting, of which each digit does. */
export function formatNumber(value: number, locale: string): string {
  const digits = Number.isInteger(value) ? {} : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(locale, digits).format(value);
}

/** "26 Nov 2026" in the language of the page. */
export function formatDay(time: string, locale: string): string {
  return new Date(time).toLocaleDateString(locale, { dateStyle: "medium" });
}

/** "26 Nov, 21:30" in the language of the page. */
export function formatTime(time: string, locale: string): string {
  return new Date(time).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
}
