/** For the ref of what is chosen in a bar that is longer than a phone is wide: it is not to be cut off. */
export function intoView(chosen: HTMLElement | null): void {
  chosen?.scrollIntoView({ block: "nearest", inline: "nearest" });
}
