/** The cursor in the address of the next page; null behind the last one. */
export function cursorOf(next: string | null | undefined): string | null {
  return next ? new URL(next, location.origin).searchParams.get("cursor") : null;
}
