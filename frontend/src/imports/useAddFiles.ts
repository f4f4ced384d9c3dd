import { useLingui } from "@lingui/react/macro";
import { useCallback } from "react";
import { useSession } from "../api/session";
import { tellProblem } from "../history/tell";
import { firstDataset } from "../projects/queries";
import { addFiles } from "./sending";

/** Sends files to a dataset of the project: the one that is named, or the first. */
export function useAddFiles(
  project: string,
  dataset?: string,
  options: { label?: string | null; labelsFromFolders?: boolean; strips?: boolean } = {},
) {
  const { t } = useLingui();
  const session = useSession();
  const { label = null, labelsFromFolders = false, strips = false } = options;
  return useCallback(
    async (files: File[]) => {
      if (!session || files.length === 0) return;
      try {
        const target = dataset ?? (await firstDataset(project, t`Images`));
        addFiles(files, { project, dataset: target, label, labelsFromFolders, strips }, session.limits, {
          empty: t`The file is empty.`,
          too_large: t`The file is larger than this studio takes.`,
          unknown_kind: t`Not an image, video or archive.`,
        });
      } catch (problem) {
        tellProblem(problem);
      }
    },
    [session, dataset, project, label, labelsFromFolders, strips, t],
  );
}
