import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

/** A text as a QR code, dark on white in both themes, since cameras read no other. The library comes when it is needed. */
export function QrCode({ text, label, size = 200 }: { text: string; label: string; size?: number }) {
  const { data } = useQuery({
    queryKey: ["qr", text],
    // The text may be a secret that is shown once.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const { encode } = await import("uqr");
      return encode(text, { ecc: "M", border: 3 }).data;
    },
  });
  if (!data) return <Skeleton width={size} height={size} />;
  return (
    <svg
      role="img"
      aria-label={label}
      width={size}
      height={size}
      viewBox={`0 0 ${data.length} ${data.length}`}
      shapeRendering="crispEdges"
      style={{ maxWidth: "100%", borderRadius: 6 }}
    >
      <rect width={data.length} height={data.length} fill="#fff" />
      <path d={modules(data)} fill="#000" />
    </svg>
  );
}

/** One square for each dark module. */
function modules(rows: boolean[][]): string {
  return rows
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .filter(Boolean)
    .join("");
}
