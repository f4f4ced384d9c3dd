import { StudioError } from "../api/errors";

/** What the tus client knows of the answer that made it give up. */
interface Interrupted {
  originalResponse?: { getStatus(): number; getBody(): string } | null;
}

/**
 * What went wrong with a large upload, as the studio's own errors: no answer, as when the line was cut or the studio starts
 * again, is temporary, and the upload goes on later where it stopped.
 */
export function interrupted(error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  const response = (error as Interrupted).originalResponse;
  const status = response?.getStatus() ?? 0;
  if (!response || status === 0) return StudioError.offline();
  return new StudioError(status, problemsIn(response.getBody(), status));
}

function problemsIn(body: string, status: number) {
  try {
    const { errors } = JSON.parse(body) as {
      errors?: { code: string; detail: string; attr: string | null }[];
    };
    if (errors?.length) return errors;
  } catch {
    // No answer of the studio's, but of something before it.
  }
  return [{ code: "error", detail: `HTTP ${status}`, attr: null }];
}
