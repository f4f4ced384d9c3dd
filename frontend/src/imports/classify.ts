/** What a dropped file is, by its name and type, before anything is sent. */
export type FileKind = "image" | "archive" | "video" | "annotations" | "unknown";

const ENDINGS: Record<Exclude<FileKind, "unknown">, string[]> = {
  image: ["jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff", "heic", "heif", "avif"],
  archive: ["zip", "tar", "tgz", "gz", "tbz", "bz2", "txz", "xz", "tzst", "zst"],
  video: ["mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "ts", "3gp", "wmv"],
  annotations: ["json", "csv", "xml", "txt", "tsv", "jsonl", "yaml", "yml"],
};

export function kindOf({ name, type }: { name: string; type: string }): FileKind {
  const ending = name.toLowerCase().split(".").pop() ?? "";
  for (const [kind, endings] of Object.entries(ENDINGS))
    if (endings.includes(ending)) return kind as FileKind;
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("video/")) return "video";
  return "unknown";
}

/** Files that systems put beside what a person means. */
export function isClutter(path: string): boolean {
  const name = path.split("/").pop() ?? "";
  return /^\.|^Thumbs\.db$|^desktop\.ini$/i.test(name) || path.includes("__MACOSX/");
}

export type Fault = "empty" | "too_large" | "unknown_kind";

export function faultOf(
  file: { name: string; type: string; size: number },
  limits: { max_image_bytes: number; max_upload_bytes: number },
): Fault | null {
  const kind = kindOf(file);
  if (kind === "unknown") return "unknown_kind";
  if (file.size === 0) return "empty";
  if (file.size > (kind === "image" ? limits.max_image_bytes : limits.max_upload_bytes)) return "too_large";
  return null;
}

/** Batches of one request each: few enough files for a moving progress, and not too many bytes. */
export function batches<Item extends { size: number }>(
  items: Item[],
  count = 16,
  bytes = 24_000_000,
): Item[][] {
  const found: Item[][] = [];
  let current: Item[] = [];
  let sum = 0;
  for (const item of items) {
    if (current.length > 0 && (current.length >= count || sum + item.size > bytes)) {
      found.push(current);
      current = [];
      sum = 0;
    }
    current.push(item);
    sum += item.size;
  }
  if (current.length > 0) found.push(current);
  return found;
}

/** The first of each file name: the studio answers by name, and folders of cameras repeat theirs. The others come after. */
export function namedApart<Item extends { path: string }>(items: Item[]): Item[] {
  const names = new Set<string>();
  return items.filter(({ path }) => {
    const name = path.split("/").pop() ?? "";
    return !names.has(name) && names.add(name);
  });
}
