/** What a version and a variant leave of the first 12 random bits: the number within a millisecond. */
const MOST = 0xfff;
let last = { now: 0, count: 0 };

/**
 * A UUID of version 7 (RFC 9562, section 5.7), as the server's are: they sort by time, and within a millisecond in the order in
 * which they were made (section 6.2, method 1), as boxes that are copied together. `crypto.randomUUID` exists only over HTTPS, and
 * many studios are reached by plain HTTP at home.
 */
export function uuid(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // Begun in the lower half, so that there is room to count.
  const random = ((bytes[6] ?? 0) << 3) | ((bytes[7] ?? 0) >> 5);
  const isSame = now === last.now && last.count < MOST;
  last = { now, count: isSame ? last.count + 1 : random };
  for (let place = 5, rest = now; place >= 0; place -= 1) {
    bytes[place] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = (last.count >> 8) | 0x70;
  bytes[7] = last.count & 0xff;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
