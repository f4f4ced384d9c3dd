import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

/** What the camera of a phone, or a screenshot, needs of each module to be read. */
const MODULE_PIXELS = 4;

/** A text as a QR code, dark on white in both themes, since cameras read no other. The library comes when it is needed. */
export function QrCode({ text, label, size = 200 }: { text: string; label: string; size?: number }) {
  const { data } = useQuery({
    queryKey: ["qr", text],
    // The text may be a secret that is shown once.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const { encode } = await import("uqr");
      // The standard asks for four light modules around. A screen is not dirty: the least correction leaves the modules largest.
      return encode(text, { ecc: "L", border: 4 }).data;
    },
  });
  if (!data) return <Skeleton width={size} height={size} />;
  const side = sideOf(data.length, size);
  return (
    <svg
      role="img"
      aria-label={label}
      width={side}
      height={side}
      viewBox={`0 0 ${data.length} ${data.length}`}
      shapeRendering="crispEdges"
      style={{ maxWidth: "100%", height: "auto", flexShrink: 0 }}
    >
      <rect width={data.length} height={data.length} fill="#fff" />
      <path d={modules(data)} fill="#000" />
    </svg>
  );
}

/** Whole pixels for each module: squares of different widths are what a reader of a screenshot stumbles over. */
export function sideOf(modules: number, least: number): number {
  return modules * Math.max(MODULE_PIXELS, Math.ceil(least / modules));
}

/** One square for each dark module. */
function modules(rows: boolean[][]): string {
  return rows
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .filter(Boolean)
    .join("");
}
