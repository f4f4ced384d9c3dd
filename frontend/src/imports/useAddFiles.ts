import { useLingui } from "@lingui/react/macro";
import { notifications } from "@mantine/notifications";
import { useCallback } from "react";
import { useSession } from "../api/session";
import { useDatasets } from "../projects/queries";
import { addFiles } from "./sending";

/** Sends files to a dataset of the project: the one that is named, or the first. */
export function useAddFiles(
  project: string,
  dataset?: string,
  options: { label?: string | null; labelsFromFolders?: boolean; strips?: boolean } = {},
) {
  const { t } = useLingui();
  const session = useSession();
  const { data: datasets } = useDatasets(project);
  const target = dataset ?? datasets?.[0]?.id;
  const { label = null, labelsFromFolders = false, strips = false } = options;
  return useCallback(
    (files: File[]) => {
      if (!session || files.length === 0) return;
      if (!target) {
        notifications.show({
          color: "red",
          message: t`The project has no dataset yet. Make one under Datasets.`,
        });
        return;
      }
      addFiles(files, { project, dataset: target, label, labelsFromFolders, strips }, session.limits, {
        empty: t`The file is empty.`,
        too_large: t`The file is larger than this studio takes.`,
        unknown_kind: t`Not an image, video or archive.`,
      });
    },
    [session, target, project, label, labelsFromFolders, strips, t],
  );
}
