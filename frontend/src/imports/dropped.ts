import { isClutter } from "./classify";

/** All files of a drop, with the folders in it, each with its path. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry !== null && entry !== undefined);
  if (entries.length === 0) return [...transfer.files];
  const found = (await Promise.all(entries.map(filesIn))).flat();
  return found.filter((file) => !isClutter(pathOf(file)));
}

/** All of a folder at once: asked for one after the other, a thousand files take seconds. */
async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    paths.set(file, entry.fullPath.replace(/^\//, ""));
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Promise<File[]>[] = [];
  for (;;) {
    // A reader gives at most a hundred entries at a time.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return (await Promise.all(found)).flat();
    found.push(...part.map(filesIn));
  }
}

const paths = new WeakMap<File, string>();

export function pathOf(file: File): string {
  return paths.get(file) ?? (file.webkitRelativePath || file.name);
}

/** The name of the folder that a file lies in, which may be its label. */
export function folderOf(path: string): string | null {
  const parts = path.split("/");
  return parts.length > 1 ? (parts.at(-2) ?? null) : null;
}
