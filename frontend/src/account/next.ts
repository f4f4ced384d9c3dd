const HERE = "http://studio.invalid";

/** Where a login leads: an address of this studio, never another host that somebody put into a link. */
export function safeNext(next: string | undefined): string {
  if (!next || !/^\/(?![/\\])/.test(next)) return "/";
  // Browsers leave out tabs and line ends: "/\t/elsewhere" is another host.
  return new URL(next, HERE).origin === HERE ? next : "/";
}
