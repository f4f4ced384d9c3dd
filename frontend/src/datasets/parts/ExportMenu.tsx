import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Menu, Text } from "@mantine/core";
import type { Task } from "../../api/types";
import { Icon } from "../../ui/Icon";
import { formatName } from "../formats";
import { useJob } from "../queries";

const FORMATS = {
  classification: ["folder", "csv", "label_studio", "datumaro"],
  multilabel: ["csv_one_hot", "label_studio", "datumaro"],
  detection: ["coco", "voc", "yolo", "csv", "createml", "label_studio", "datumaro"],
};

interface Props {
  task: Task;
  disabled: boolean;
  choose: (format: string) => void;
}

/** The formats that hold what the project has. */
export function ExportMenu({ task, disabled, choose }: Props) {
  const { t } = useLingui();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          size="compact-md"
          variant="default"
          leftSection={<Icon name="download" size={16} />}
          disabled={disabled}
        >
          <Trans>Export</Trans>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS[task ?? "classification"].map((format) => (
          <Menu.Item key={format} onClick={() => choose(format)}>
            {format === "folder" ? t`Folders by label` : formatName(format)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** How far an export is, and where its archive lies. */
export function ExportState({ project, job }: { project: string; job: string }) {
  const { data } = useJob(project, job);
  if (!data) return null;
  if (data.state === "failed")
    return (
      <Text size="sm" c="var(--studio-bad)">
        {data.error?.detail}
      </Text>
    );
  if (data.state !== "succeeded")
    return (
      <Text size="sm" className="quiet">
        <Trans>The archive is being written…</Trans>
      </Text>
    );
  return (
    <Anchor href={`/api/v1/jobs/${job}/file/`} download size="sm">
      <Trans>Download the archive</Trans>
    </Anchor>
  );
}
