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

/** Milliseconds between two looks for files whose tab is gone, and how much longer some tabs wait, so that one of them is first. */
const LOOK = 4000;
const SPREAD = 2000;

/**
 * Calls `takeOver` when files are left that no tab is sending any more, since theirs was closed or has died. `left` names what
 * is kept in this browser and is not known here. A tab that is busy may miss a question: it is asked twice.
 */
export function watchOtherTabs(left: () => Promise<string[]>, takeOver: () => Promise<void>): void {
  let missed = new Set<string>();
  const tried = new Set<string>();
  const look = async () => {
    const kept = (await left()).filter((id) => !tried.has(id));
    const elsewhere = kept.length > 0 ? await sentByOtherTabs() : new Set<string>();
    const alone = kept.filter((id) => !elsewhere.has(id));
    if (alone.some((id) => missed.has(id))) {
      for (const id of alone) tried.add(id);
      await takeOver();
    }
    missed = new Set(alone);
  };
  setInterval(() => void look(), LOOK + Math.random() * SPREAD);
}
