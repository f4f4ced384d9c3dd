/** The names in what was typed or pasted: lines, or parts between commas and semicolons, each of them once. */
export function namesIn(typed: string): string[] {
  const names = typed.split(/[\n,;，、；]+/).map((part) => part.trim());
  return [...new Set(names)].filter(Boolean);
}
