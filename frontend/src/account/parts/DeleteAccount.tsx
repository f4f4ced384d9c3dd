import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { deleteAccount, type Me } from "../queries";

export function DeleteAccount({ me }: { me: Me }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Paper className="panel" p="lg">
      <Group justify="space-between">
        <Text size="sm">
          <Trans>Delete your account with the projects that only you have.</Trans>
        </Text>
        <Button variant="default" c="var(--studio-bad)" onClick={() => setIsOpen(true)}>
          <Trans>Delete the account</Trans>
        </Button>
      </Group>
      <ConfirmDelete
        opened={isOpen}
        close={() => setIsOpen(false)}
        title={t`Delete the account ${me.username}?`}
        name={me.username}
        confirm={async () => {
          await deleteAccount();
          await navigate({ to: "/login" });
        }}
      >
        <Trans>
          Your projects that have no other member go with it, with their images and models, and do not come
          back. What you labelled in projects of others stays.
        </Trans>
      </ConfirmDelete>
    </Paper>
  );
}
