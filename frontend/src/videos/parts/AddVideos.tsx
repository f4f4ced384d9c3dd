import { Trans } from "@lingui/react/macro";
import { Button, FileButton } from "@mantine/core";
import { useAddFiles } from "../../imports/useAddFiles";
import { Icon } from "../../ui/Icon";

/** Videos from this computer, to the first dataset of the project; what is dropped on the page goes there too. */
export function AddVideos({ project }: { project: string }) {
  const add = useAddFiles(project);
  return (
    <FileButton multiple accept="video/*,.mkv,.avi,.mov,.mp4,.webm" onChange={(files) => void add(files)}>
      {(props) => (
        <Button {...props} leftSection={<Icon name="upload" />}>
          <Trans>Add videos</Trans>
        </Button>
      )}
    </FileButton>
  );
}
