import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { asStudioError } from "../../api/errors";
import { Icon } from "../../ui/Icon";
import { formatTime } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { type Delivery, isOnItsWay, sendAgain, useDeliveries } from "../queries";
import { useDeliveryStates, useEventNames } from "../words";

interface Props {
  project: string;
  webhook: string;
  isActive: boolean;
}

/** What was sent to an address, the latest first. */
export function Deliveries({ project, webhook, isActive }: Props) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useDeliveries(
    project,
    webhook,
  );
  const rows = data?.pages.flatMap(({ results }) => results) ?? [];
  return (
    <Stack gap={0} aria-live="polite">
      <Problem error={error} retry={() => void refetch()} />
      {!data && !error && <Skeleton height={48} />}
      {data && rows.length === 0 && (
        <Text size="sm" className="quiet">
          <Trans>Nothing was sent to it yet.</Trans>
        </Text>
      )}
      {rows.map((row) => (
        <DeliveryRow
          key={row.id}
          delivery={row}
          again={isActive ? () => sendAgain(project, webhook, row.id) : undefined}
        />
      ))}
      {hasNextPage && (
        <Button
          mt="xs"
          size="compact-sm"
          variant="default"
          loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          <Trans>Show earlier messages</Trans>
        </Button>
      )}
    </Stack>
  );
}

const LOOKS = {
  pending: { icon: "clock", color: "var(--studio-quiet)" },
  delivered: { icon: "check", color: "var(--studio-good)" },
  failed: { icon: "x", color: "var(--studio-bad)" },
} as const;
const RETRIED = { icon: "alert-triangle", color: "var(--studio-warn)" } as const;

function DeliveryRow({
  delivery,
  again,
}: {
  delivery: Delivery;
  again?: (() => Promise<unknown>) | undefined;
}) {
  const { t, i18n } = useLingui();
  const names = useEventNames();
  const states = useDeliveryStates();
  const isRetried = delivery.state === "pending" && delivery.attempts > 0;
  const look = isRetried ? RETRIED : LOOKS[delivery.state];
  const name = names[delivery.event];
  const time = formatTime(delivery.created_at, i18n.locale);
  const isSending = isOnItsWay(delivery, Date.now());
  const retried = isRetried ? delivery.next_attempt_at : null;
  return (
    <Group
      justify="space-between"
      wrap="nowrap"
      py={8}
      style={{ borderTop: "1px solid var(--studio-line)" }}
      data-testid="delivery"
    >
      <div style={{ minWidth: 0 }}>
        <Text size="sm">
          <Text span c={look.color} fw={600} size="sm">
            <Icon name={look.icon} size={14} />{" "}
            {isRetried ? <Trans>not arrived yet</Trans> : states[delivery.state]}
          </Text>
          {delivery.status_code !== null && (
            <>
              {" · "}
              <Trans>answer {delivery.status_code}</Trans>
            </>
          )}
          {" · "}
          {name}
        </Text>
        <Text size="xs" className="quiet">
          {time}
          {delivery.attempts > 1 && (
            <>
              {" · "}
              <Trans>tried {delivery.attempts} times</Trans>
            </>
          )}
          {retried && (
            <>
              {" · "}
              <Trans>next try {formatTime(retried, i18n.locale)}</Trans>
            </>
          )}
        </Text>
        {delivery.problem && (
          <Text size="xs" c="var(--studio-bad)" style={{ overflowWrap: "anywhere" }}>
            {delivery.problem}
          </Text>
        )}
      </div>
      {again && !(isSending && delivery.attempts === 0) && (
        <Button
          size="compact-xs"
          variant="default"
          flex="none"
          aria-label={t`Send the message of ${time} again`}
          onClick={() =>
            void again().catch((problem) =>
              notifications.show({ color: "red", message: asStudioError(problem).message }),
            )
          }
        >
          <Trans>Send again</Trans>
        </Button>
      )}
    </Group>
  );
}
