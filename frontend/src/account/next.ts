/** Where a login leads: an address of this studio, never another host that somebody put into a link. */
export function safeNext(next: string | undefined): string {
  if (!next || !/^\/(?![/\\])/.test(next)) return "/";
  return next;
}
