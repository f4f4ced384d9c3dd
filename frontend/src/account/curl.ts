/** A line for a terminal that tries a token. */
export function curlLine(studio: string, token: string): string {
  return `curl -H 'Authorization: Token ${token}' ${studio}/api/v1/projects/`;
}
