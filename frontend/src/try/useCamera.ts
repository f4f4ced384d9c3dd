import { useEffect, useState } from "react";

export type CameraProblem = "insecure" | "refused";

/** The camera, for as long as it is wanted. Browsers ask the person first. */
export function useCamera(isWanted: boolean) {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [problem, setProblem] = useState<CameraProblem | null>(null);
  useEffect(() => {
    if (!isWanted) return undefined;
    setProblem(navigator.mediaDevices ? null : "insecure");
    if (!navigator.mediaDevices) return undefined;
    let isGone = false;
    let found: MediaStream | null = null;
    navigator.mediaDevices
      .getUserMedia({ video: { width: { ideal: 640 }, facingMode: { ideal: "environment" } } })
      .then(
        (opened) => {
          found = opened;
          if (isGone) return stop(opened);
          setStream(opened);
        },
        () => !isGone && setProblem("refused"),
      );
    return () => {
      isGone = true;
      if (found) stop(found);
      setStream(null);
    };
  }, [isWanted]);
  return { stream, problem };
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
