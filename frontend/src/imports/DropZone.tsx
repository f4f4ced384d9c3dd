import { Trans } from "@lingui/react/macro";
import { Center, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useMayEdit } from "../projects/queries";
import { Icon } from "../ui/Icon";
import classes from "./DropZone.module.css";
import { droppedFiles } from "./dropped";
import { useDropTaker } from "./dropTaker";
import { useAddFiles } from "./useAddFiles";

/** The whole page takes what is dropped or pasted. */
export function DropZone({ project }: { project: string }) {
  const mayEdit = useMayEdit(project);
  const importFiles = useAddFiles(project);
  const { taker } = useDropTaker();
  const isTaken = mayEdit || taker !== null;
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    if (!isTaken) return undefined;
    let depth = 0;
    // Asked when the files come: a page that has just opened takes them already.
    const add = (files: File[]) => (useDropTaker.getState().taker?.take ?? importFiles)(files);
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth += 1;
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth -= 1;
      if (depth <= 0) setIsOver(false);
    };
    const over = (event: DragEvent) => {
      if (!event.dataTransfer || !hasFiles(event)) return;
      event.preventDefault();
      // What refuses stray files was asked first: with its answer the browser would never drop them here.
      event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setIsOver(false);
      if (!event.dataTransfer || !hasFiles(event)) return;
      event.preventDefault();
      void droppedFiles(event.dataTransfer).then(add);
    };
    const paste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) void add(files);
    };
    const listeners = {
      dragenter: enter,
      dragleave: leave,
      dragover: over,
      drop,
      paste,
    } as unknown as Record<string, EventListener>;
    for (const [name, listener] of Object.entries(listeners)) window.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) window.removeEventListener(name, listener);
    };
  }, [isTaken, importFiles]);
  if (!isOver) return null;
  return (
    <Center className={classes.zone}>
      <Stack align="center" gap="xs">
        <Icon name="upload" size={48} />
        <Text fw={650} size="lg">
          {taker?.text ?? <Trans>Drop images, folders, archives or videos</Trans>}
        </Text>
      </Stack>
    </Center>
  );
}
