import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Radio, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { TrashNote } from "../../ui/TrashNote";
import { deleteVideo, type Video } from "../queries";

/** Deletes a video, and asks what happens to the images that were cut from it. */
export function DeleteVideo({ project, video }: { project: string; video: Video }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [isOpen, setIsOpen] = useState(false);
  const [frames, setFrames] = useState<"keep" | "delete">("keep");
  const { mutate, error, isPending } = useMutation({
    mutationFn: () => deleteVideo(project, video.id, frames),
    onSuccess: () => navigate({ to: "/projects/$project/videos", params: { project } }),
  });
  return (
    <div>
      <Button variant="default" leftSection={<Icon name="trash" />} onClick={() => setIsOpen(true)}>
        <Trans>Delete the video</Trans>
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => setIsOpen(false)}
        title={t`Delete the video?`}
        closeButtonProps={{ "aria-label": t`Close` }}
      >
        <Stack>
          {video.frame_images > 0 && (
            <Radio.Group
              label={
                <Plural
                  value={video.frame_images}
                  one="# image was cut from it"
                  other="# images were cut from it"
                />
              }
              value={frames}
              onChange={(value) => setFrames(value === "delete" ? "delete" : "keep")}
            >
              <Stack gap={6} mt={6}>
                <Radio value="keep" label={t`They stay`} />
                <Radio value="delete" label={t`They are deleted too`} />
              </Stack>
            </Radio.Group>
          )}
          <Text size="sm">
            <TrashNote />
          </Text>
          <Problem error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setIsOpen(false)}>
              <Trans>Cancel</Trans>
            </Button>
            <Button color="red" loading={isPending} onClick={() => mutate()}>
              <Trans>Delete</Trans>
            </Button>
          </Group>
        </Stack>
      </Modal>
    </div>
  );
}
