import { csrfToken } from "../api/client";
import { interrupted } from "./interrupted";

interface Options {
  name: string;
  /** The same for the same file: what was sent of it before is not sent again. */
  fingerprint: string;
  onProgress: (sent: number) => void;
  /** Ends it: what was sent is deleted, and the promise is rejected with an `AbortError`. */
  signal?: AbortSignal;
}

/** Sends a file by the tus protocol, which goes on where it stopped. Returns the id of the upload. */
export async function sendInParts(
  file: File,
  { name, fingerprint, onProgress, signal }: Options,
): Promise<string> {
  // Only large files need it, so the first page comes without it.
  const tus = await import("tus-js-client");
  return new Promise<string>((resolve, reject) => {
    const sending = new tus.Upload(file, {
      endpoint: "/api/v1/uploads/",
      chunkSize: 8 * 1024 * 1024,
      retryDelays: [0, 1000, 3000, 5000, 10_000, 20_000, 30_000],
      metadata: { filename: name },
      fingerprint: async () => `studio-${fingerprint}`,
      removeFingerprintOnSuccess: true,
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
      onProgress,
      onError: (error) => reject(interrupted(error)),
      onSuccess: () =>
        resolve(new URL(sending.url ?? "", location.href).pathname.split("/").filter(Boolean).at(-1) ?? ""),
    });
    signal?.addEventListener("abort", () => {
      void sending.abort(true).catch(() => undefined);
      reject(signal.reason);
    });
    void sending.findPreviousUploads().then((before) => {
      if (before[0]) sending.resumeFromPreviousUpload(before[0]);
      sending.start();
    });
  });
}
