const CHANNEL = "studio-uploads";
/** Milliseconds in which other tabs of this browser answer. */
const PATIENCE = 300;

type Message = { asks: true } | { sends: string[] };

function opened(): BroadcastChannel | null {
  return typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);
}

/** Tells other tabs that ask which files this one is sending. */
export function answerOtherTabs(sending: () => string[]): void {
  const channel = opened();
  channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if ("asks" in data) channel.postMessage({ sends: sending() } satisfies Message);
  });
}

/** The files that other tabs of this browser are sending: no other one sends them too. */
export async function sentByOtherTabs(): Promise<Set<string>> {
  const channel = opened();
  if (!channel) return new Set();
  const found = new Set<string>();
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if ("sends" in data) for (const id of data.sends) found.add(id);
  });
  channel.postMessage({ asks: true } satisfies Message);
  await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  channel.close();
  return found;
}
