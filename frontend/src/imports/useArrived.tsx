import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { opensByItself } from "./arrived";
import { useUploads } from "./uploads";

/** Shows what is in an archive once it is here: at once where it was dropped, on another page by a link. */
export function useArrived(): void {
  const { t } = useLingui();
  const navigate = useNavigate();
  const arrived = useUploads((state) => state.arrived);
  useEffect(() => {
    if (!arrived) return;
    useUploads.setState({ arrived: null });
    const { project, job, dataset, path } = arrived;
    const open = () =>
      void navigate({
        to: "/projects/$project/import/$job",
        params: { project, job },
        search: { dataset },
      });
    if (opensByItself(arrived, location.pathname, useUploads.getState().items)) return open();
    const id = notifications.show({
      autoClose: 20_000,
      title: t`The archive is here`,
      message: (
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm" truncate>
            {path}
          </Text>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              notifications.hide(id);
              open();
            }}
          >
            <Trans>Look and import</Trans>
          </Button>
        </Group>
      ),
    });
  }, [arrived, navigate, t]);
}
