import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { send } from "../../api/client";
import { asStudioError } from "../../api/errors";
import { keys } from "../../api/keys";
import type { Task } from "../../api/types";
import { queryClient } from "../../app/queries";
import { Icon } from "../../ui/Icon";

/** A whole project with images that the studio draws, so that one can try everything before one has photographs. */
export function TrySamples() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [isBusy, setIsBusy] = useState(false);
  const begin = async (task: Task) => {
    setIsBusy(true);
    try {
      const { project } = await send<{ project: string }>(
        "POST",
        "/api/v1/projects/samples/",
        JSON.stringify({ task }),
        {
          "Content-Type": "application/json",
        },
      );
      await queryClient.invalidateQueries({ queryKey: keys.projects });
      await navigate({ to: "/projects/$project", params: { project } });
    } catch (problem) {
      notifications.show({ color: "red", message: asStudioError(problem).message });
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Menu position="bottom">
      <Menu.Target>
        <Button variant="default" loading={isBusy} leftSection={<Icon name="sparkles" />}>
          <Trans>Try with sample images</Trans>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void begin("classification")}>{t`Name what is on an image`}</Menu.Item>
        <Menu.Item onClick={() => void begin("multilabel")}>{t`Name all that is on an image`}</Menu.Item>
        <Menu.Item onClick={() => void begin("detection")}>{t`Find things with boxes`}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
