import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  Alert,
  Button,
  FileButton,
  Group,
  Paper,
  Progress,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useCallback } from "react";
import { useForm } from "../../account/useForm";
import type { Task } from "../../api/types";
import { useTakesDrops } from "../../imports/dropTaker";
import { formatBytes } from "../../ui/bytes";
import { Icon } from "../../ui/Icon";
import type { Said } from "../upload";
import classes from "./TryPanel.module.css";

interface Props {
  task: Task;
  file: File | null;
  onFile: (file: File) => void;
  said: Said;
  /** Bytes that are there of it while it is sent. */
  sent: number | null;
  stop: () => void;
  /** Why the file was not taken, in the studio's words. */
  failed: string | null;
  send: (values: Said) => Promise<void>;
}

/** The file, the names of its outputs, and what it was trained on where the file does not say. */
export function UploadForm({ task, file, onFile, said, sent, stop, failed, send }: Props) {
  const { t } = useLingui();
  const form = useForm(said, send);
  const take = useCallback((files: File[]) => files[0] && onFile(files[0]), [onFile]);
  useTakesDrops(t`Drop the model's file`, take);
  const labels = form.values.labels.split("\n").filter((line) => line.trim()).length;
  return (
    <form onSubmit={(event) => void form.onSubmit(event)}>
      <Stack gap="lg">
        {failed && (
          <Alert color="red" variant="light" icon={<Icon name="alert-triangle" />} role="alert">
            {failed}
          </Alert>
        )}
        <ChosenFile task={task} file={file} onFile={onFile} />
        <Paper className="panel" p="lg">
          <Stack>
            <TextInput
              label={t`Name`}
              placeholder={file?.name.replace(/\.\w+$/, "") ?? t`as the file`}
              maxLength={100}
              {...form.field("name")}
            />
            <Textarea
              label={t`Labels, one a line, in the order of the model's outputs`}
              description={
                task === "classification"
                  ? t`Most programs number the labels by name, as these are. A list from JSON or a classes.csv can be pasted as well.`
                  : t`In the order of the numbers in your classes.csv, which can be pasted as well.`
              }
              autosize
              minRows={3}
              maxRows={12}
              required
              {...form.field("labels")}
            />
            <Text size="xs" className="quiet">
              <Plural
                value={labels}
                one="# label. The model must have as many outputs."
                other="# labels. The model must have as many outputs."
              />
            </Text>
          </Stack>
        </Paper>
        <Trained task={task} form={form} />
        {form.problem && (
          <Text c="var(--studio-bad)" role="alert">
            {form.problem}
          </Text>
        )}
        {file && sent !== null && (
          <Group wrap="nowrap" role="status">
            <Progress
              value={(100 * sent) / Math.max(1, file.size)}
              style={{ flex: 1 }}
              aria-label={t`Sent`}
            />
            <Button variant="default" size="compact-sm" onClick={stop}>
              <Trans>Stop</Trans>
            </Button>
          </Group>
        )}
        <Group>
          <Button type="submit" disabled={!file} loading={form.isBusy} leftSection={<Icon name="upload" />}>
            <Trans>Send it and try it</Trans>
          </Button>
          <Text size="sm" className="quiet">
            <Trans>
              Nothing in the file is executed. You see what it says of your images before it is used.
            </Trans>
          </Text>
        </Group>
      </Stack>
    </form>
  );
}

function ChosenFile({ task, file, onFile }: Pick<Props, "task" | "file" | "onFile">) {
  const { t, i18n } = useLingui();
  const accept = task === "classification" ? ".keras,.h5,.hdf5,.tflite,.onnx,.zip" : ".h5,.hdf5";
  return (
    <Paper className="panel" p="lg" component="section" aria-label={t`The file`}>
      <div className={file ? undefined : classes.zone}>
        {file ? (
          <Group justify="space-between">
            <Text fw={600} style={{ overflowWrap: "anywhere" }}>
              {file.name} ({formatBytes(file.size, i18n.locale)})
            </Text>
            <FileButton accept={accept} onChange={(chosen) => chosen && onFile(chosen)}>
              {(props) => (
                <Button {...props} variant="default">
                  <Trans>Another file</Trans>
                </Button>
              )}
            </FileButton>
          </Group>
        ) : (
          <>
            <span className="quiet">
              <Icon name="brain" size={40} />
            </span>
            <Text>
              {task === "classification" ? (
                <Trans>
                  Drag a classifier onto this page, or choose one: Keras (.keras, .h5), LiteRT (.tflite),
                  ONNX, or a zip of a SavedModel.
                </Trans>
              ) : (
                <Trans>Drag a detector of keras-retinanet (.h5) onto this page, or choose one.</Trans>
              )}
            </Text>
            <FileButton accept={accept} onChange={(chosen) => chosen && onFile(chosen)}>
              {(props) => (
                <Button {...props} leftSection={<Icon name="upload" />}>
                  <Trans>Choose the file</Trans>
                </Button>
              )}
            </FileButton>
          </>
        )}
      </div>
    </Paper>
  );
}

function Trained({ task, form }: { task: Task; form: ReturnType<typeof useForm<Said>> }) {
  const { t } = useLingui();
  const choice = (name: keyof Said) => ({
    value: form.values[name],
    error: form.field(name).error,
    allowDeselect: false,
    onChange: (value: string | null) => form.set((now) => ({ ...now, [name]: value ?? now[name] })),
  });
  return (
    <Paper className="panel" p="lg" component="details">
      <Text component="summary" fw={600} style={{ cursor: "pointer" }}>
        <Trans>What it was trained on, where the file does not say it</Trans>
      </Text>
      <Stack mt="md">
        {task === "classification" && (
          <>
            <Select
              label={t`Numbers of the pixels`}
              {...choice("scaling")}
              data={[
                { value: "0_255", label: t`0 to 255, or the model scales them itself` },
                { value: "0_1", label: t`0 to 1 (rescale=1/255)` },
                { value: "-1_1", label: t`-1 to 1 (MobileNet, Inception, Xception)` },
                { value: "imagenet", label: t`ImageNet's mean and deviation (PyTorch, DenseNet)` },
                { value: "caffe", label: t`Caffe: less the mean, blue first (VGG, ResNet50 of Keras)` },
              ]}
            />
            <Select
              label={t`Order of the colours`}
              {...choice("channels")}
              data={[
                { value: "rgb", label: t`red, green, blue` },
                { value: "bgr", label: t`blue, green, red (OpenCV)` },
              ]}
            />
            <Select
              label={t`How an image became the size of the input`}
              {...choice("resize")}
              data={[
                { value: "stretch", label: t`stretched` },
                { value: "letterbox", label: t`whole, with grey bars` },
              ]}
            />
          </>
        )}
        <Group grow align="flex-start">
          <TextInput label={t`Width in pixels`} inputMode="numeric" {...form.field("width")} />
          <TextInput label={t`Height in pixels`} inputMode="numeric" {...form.field("height")} />
        </Group>
        {task === "detection" && (
          <Textarea
            label={t`Anchors: the text of the configuration file it was trained with, if there was one`}
            autosize
            minRows={2}
            {...form.field("anchors")}
          />
        )}
      </Stack>
    </Paper>
  );
}
