/** The mean colour in a ThumbHash (base64), for a tile whose image is still on its way. See https://evanw.github.io/thumbhash/. */
export function averageColor(hash: string | null): string | undefined {
  if (!hash) return undefined;
  let bytes: string;
  try {
    bytes = atob(hash);
  } catch {
    return undefined;
  }
  const header = bytes.charCodeAt(0) | (bytes.charCodeAt(1) << 8) | (bytes.charCodeAt(2) << 16);
  const l = (header & 63) / 63;
  const p = ((header >> 6) & 63) / 31.5 - 1;
  const q = ((header >> 12) & 63) / 31.5 - 1;
  const b = l - (2 / 3) * p;
  const r = (3 * l - b + q) / 2;
  const g = r - q;
  const part = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));
  return `rgb(${part(r)} ${part(g)} ${part(b)})`;
}
