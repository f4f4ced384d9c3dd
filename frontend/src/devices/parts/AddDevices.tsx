import { Trans, useLingui } from "@lingui/react/macro";
import {
  Alert,
  Button,
  CopyButton,
  Group,
  Modal,
  NumberInput,
  Select,
  Stack,
  Text,
  Textarea,
} from "@mantine/core";
import { useState } from "react";
import { Icon } from "../../ui/Icon";
import { formatTime } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { QrCode } from "../../ui/QrCode";
import { enrolmentLines, isOwnMachine } from "../enrolling";
import { type DeviceGroup, makeCode, type NewEnrolmentCode } from "../queries";
import { Codes } from "./Codes";

interface Props {
  project: string;
  groups: DeviceGroup[];
  opened: boolean;
  close: () => void;
}

/** A code with which devices enrol, and the lines to type on each. */
export function AddDevices({ project, groups, opened, close }: Props) {
  const { t, i18n } = useLingui();
  const [group, setGroup] = useState<string | null>(null);
  const [uses, setUses] = useState(1);
  const [code, setCode] = useState<NewEnrolmentCode | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const chosen = group ?? groups[0]?.id ?? null;
  const make = async () => {
    setIsBusy(true);
    setError(null);
    try {
      setCode(await makeCode(project, { group: chosen, uses, hours: 24 }));
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  const end = () => {
    setCode(null);
    setError(null);
    close();
  };
  const studio = window.location.origin;
  const lines = code ? enrolmentLines(studio, code.code) : "";
  return (
    <Modal
      opened={opened}
      onClose={end}
      title={t`Add devices`}
      size="lg"
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      {code ? (
        <Stack>
          <Text size="sm">
            <Trans>
              Type these lines in a terminal of the device, beside a copy of the studio’s repository. The code
              is shown this once and works until {formatTime(code.expires_at, i18n.locale)}.
            </Trans>
          </Text>
          {isOwnMachine(studio) && (
            <Alert color="yellow" variant="light" icon={<Icon name="alert-triangle" />}>
              <Trans>
                You have opened the studio as {studio}, which other machines cannot reach. Put its name or
                address in your network in its place.
              </Trans>
            </Alert>
          )}
          <Textarea
            label={t`Lines for the device`}
            value={lines}
            readOnly
            autosize
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }}
          />
          <Stack align="center" gap="xs">
            <QrCode text={lines} label={t`QR code of these lines`} />
            <Text size="sm" className="quiet">
              <Trans>A phone reads the lines from the QR code, to send them to the device.</Trans>
            </Text>
          </Stack>
          <Group justify="flex-end">
            <CopyButton value={lines}>
              {({ copied, copy }) => (
                <Button
                  variant="default"
                  leftSection={<Icon name={copied ? "check" : "copy"} />}
                  onClick={copy}
                >
                  {copied ? <Trans>Copied</Trans> : <Trans>Copy</Trans>}
                </Button>
              )}
            </CopyButton>
            <Button onClick={end}>
              <Trans>Done</Trans>
            </Button>
          </Group>
        </Stack>
      ) : (
        <Stack>
          <Select
            label={t`Group`}
            description={t`Devices of a group run the same model.`}
            data={groups.map(({ id, name }) => ({ value: id, label: name }))}
            value={chosen}
            onChange={setGroup}
            allowDeselect={false}
          />
          <NumberInput
            label={t`How many devices`}
            description={t`The code works so often, for a day.`}
            min={1}
            max={100_000}
            value={uses}
            onChange={(value) => setUses(Number(value) || 1)}
          />
          <Codes project={project} isOpen={opened} />
          <Problem error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={end}>
              <Trans>Cancel</Trans>
            </Button>
            <Button loading={isBusy} onClick={() => void make()}>
              <Trans>Make a code</Trans>
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
