export interface Problem {
  code: string;
  detail: string;
  attr: string | null;
}

/** A refusal of the studio, or no answer at all (`status` 0, code `offline`). */
export class StudioError extends Error {
  constructor(
    readonly status: number,
    readonly problems: Problem[],
    readonly body: unknown = null,
    readonly retryAfter: number | null = null,
  ) {
    super(problems[0]?.detail ?? `HTTP ${status}`);
    this.name = "StudioError";
  }

  static async of(response: Response): Promise<StudioError> {
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => null);
    const problems = problemsIn(body) ?? [{ code: "error", detail: `HTTP ${response.status}`, attr: null }];
    const seconds = Number(response.headers.get("Retry-After"));
    return new StudioError(response.status, problems, body, seconds > 0 ? seconds : null);
  }

  static offline(): StudioError {
    return new StudioError(0, [{ code: "offline", detail: "The studio cannot be reached.", attr: null }]);
  }

  static notFound(): StudioError {
    return new StudioError(404, [{ code: "not_found", detail: "Not found.", attr: null }]);
  }

  get code(): string {
    return this.problems[0]?.code ?? "error";
  }

  /** Whether the same request may succeed later: no answer, too many requests, or a studio that is starting. */
  get isTemporary(): boolean {
    if (this.status === 0 || this.status === 429 || this.status >= 500) return true;
    // Sent before a reload, and still being done: its answer comes with the next try.
    return this.problems.some(({ code }) => code === "idempotency_in_progress");
  }

  /** The problem of one field of a form, in words. */
  of(attr: string): string | undefined {
    const found = this.problems.filter((problem) => problem.attr === attr).map((problem) => problem.detail);
    return found.length > 0 ? found.join(" ") : undefined;
  }

  /** The problems that belong to none of these fields. */
  beside(...attrs: string[]): string | undefined {
    const found = this.problems.filter((problem) => !problem.attr || !attrs.includes(problem.attr));
    return found.length > 0 ? found.map((problem) => problem.detail).join(" ") : undefined;
  }
}

function problemsIn(body: unknown): Problem[] | null {
  if (typeof body !== "object" || body === null || !("errors" in body)) return null;
  const errors = (body as { errors: unknown }).errors;
  return Array.isArray(errors) && errors.length > 0 ? (errors as Problem[]) : null;
}

export function asStudioError(error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new StudioError(-1, [{ code: "error", detail, attr: null }]);
}

/**
 * Whether a page shows an error instead of its content: nothing is here to show, or it is gone for good. While the studio
 * cannot be reached, what was loaded before stays.
 */
export function isInTheWay(error: Error | null, data: unknown): boolean {
  return error !== null && (data === undefined || !asStudioError(error).isTemporary);
}
