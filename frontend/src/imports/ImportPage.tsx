import { Trans, useLingui } from "@lingui/react/macro";
import {
  Button,
  Checkbox,
  FileButton,
  Group,
  Paper,
  Radio,
  Select,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useDatasets, useLabels, useMayEdit, useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { SourceImport } from "./parts/SourceImport";
import { WebcamCapture } from "./parts/WebcamCapture";
import { useAddFiles } from "./useAddFiles";

type Labelling = "none" | "one" | "folders";

export default function ImportPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project" });
  const { data } = useProject(project);
  const mayEdit = useMayEdit(project);
  const { data: datasets } = useDatasets(project);
  const { data: labels } = useLabels(project);
  const [dataset, setDataset] = useState<string | null>(null);
  const [how, setHow] = useState<Labelling>("none");
  const [label, setLabel] = useState("");
  const [strips, setStrips] = useState(false);
  const folder = useRef<HTMLInputElement>(null);
  const target = dataset ?? datasets?.[0]?.id;
  const add = useAddFiles(project, target, {
    label: how === "one" && label.trim() ? label.trim() : null,
    labelsFromFolders: how === "folders",
    strips,
  });
  if (!mayEdit && data)
    return (
      <EmptyState icon="lock" title={<Trans>You may look at this project</Trans>}>
        <Trans>Only editors and owners add images. Ask the project's owner.</Trans>
      </EmptyState>
    );
  return (
    <Page width="md">
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>Add images</Trans>
        </Title>
        <Paper className="panel" p="xl" style={{ borderStyle: "dashed" }}>
          <Stack align="center" gap="sm" ta="center">
            <span className="quiet">
              <Icon name="photo-plus" size={44} />
            </span>
            <Text fw={600}>
              <Trans>Drop images, folders, archives or videos anywhere on this page, or paste an image</Trans>
            </Text>
            <Text size="sm" className="quiet">
              <Trans>
                Archives (zip, tar) may hold labels: folders by label, COCO, Pascal VOC, YOLO, CSV, CreateML,
                CVAT, Label Studio, LabelMe and others are read.
              </Trans>
            </Text>
            <Group justify="center">
              <FileButton
                multiple
                onChange={(files) => void add(files)}
                accept="image/*,video/*,.heic,.zip,.tar,.gz,.tgz,.json,.csv,.xml"
              >
                {(props) => (
                  <Button {...props} leftSection={<Icon name="upload" />}>
                    <Trans>Choose files</Trans>
                  </Button>
                )}
              </FileButton>
              <Button
                variant="default"
                leftSection={<Icon name="folder" />}
                onClick={() => folder.current?.click()}
              >
                <Trans>Choose a folder</Trans>
              </Button>
              <input
                ref={folder}
                type="file"
                hidden
                multiple
                {...{ webkitdirectory: "" }}
                onChange={(event) => {
                  void add([...(event.currentTarget.files ?? [])]);
                  event.currentTarget.value = "";
                }}
              />
              <WebcamCapture add={add} />
            </Group>
            <Checkbox
              ta="start"
              label={t`Remove location data (GPS) from the images`}
              checked={strips}
              onChange={(event) => setStrips(event.currentTarget.checked)}
            />
          </Stack>
        </Paper>
        {/* Nothing is asked in a detection project with one dataset. */}
        {(data?.task === "classification" || (datasets?.length ?? 0) > 1) && (
          <Paper className="panel" p="lg">
            <Stack>
              {datasets && datasets.length > 1 && (
                <Select
                  label={t`Dataset`}
                  data={datasets.map(({ id, name }) => ({ value: id, label: name }))}
                  value={target ?? null}
                  onChange={setDataset}
                  allowDeselect={false}
                />
              )}
              {data?.task === "classification" && (
                <Radio.Group
                  label={t`Labels of the images`}
                  value={how}
                  onChange={(value) => setHow(value as Labelling)}
                >
                  <Stack gap={6} mt={6}>
                    <Radio value="none" label={t`I label them afterwards`} />
                    <Radio value="folders" label={t`Each folder's name is the label of its images`} />
                    <Radio value="one" label={t`They all have one label`} />
                  </Stack>
                </Radio.Group>
              )}
              {how === "one" && (
                <TextInput
                  label={t`Label`}
                  list="import-labels"
                  value={label}
                  onChange={(event) => setLabel(event.currentTarget.value)}
                  placeholder={labels?.[0]?.name}
                />
              )}
              <datalist id="import-labels">
                {labels?.map(({ id, name }) => (
                  <option key={id} value={name} />
                ))}
              </datalist>
            </Stack>
          </Paper>
        )}
        {target && <SourceImport project={project} dataset={target} />}
      </Stack>
    </Page>
  );
}
