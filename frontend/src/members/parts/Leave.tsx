import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../../api/session";
import type { Project } from "../../api/types";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { leaveProject, useMembers } from "../queries";

/** Leave a project. Its last owner cannot: they make somebody else an owner first, or delete it. */
export function Leave({ project }: { project: Project }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { data: members } = useMembers(project.id);
  const { username } = useMe();
  const [isOpen, setIsOpen] = useState(false);
  const others = members?.filter((member) => member.username !== username) ?? [];
  const mayLeave = project.role !== "owner" || others.some((member) => member.role === "owner");
  if (others.length === 0) return null;
  return (
    <Paper className="panel" p="lg">
      <Group justify="space-between">
        <Text size="sm">
          {mayLeave ? (
            <Trans>Leave the project. What you labelled stays.</Trans>
          ) : (
            <Trans>You are its only owner: to leave it, make another member an owner.</Trans>
          )}
        </Text>
        <Button variant="default" disabled={!mayLeave} onClick={() => setIsOpen(true)}>
          <Trans>Leave the project</Trans>
        </Button>
      </Group>
      <ConfirmDelete
        opened={isOpen}
        close={() => setIsOpen(false)}
        title={t`Leave ${project.name}?`}
        action={t`Leave`}
        confirm={async () => {
          await leaveProject(project.id);
          await navigate({ to: "/" });
        }}
      >
        <Trans>You no longer see the project. An owner can invite you again.</Trans>
      </ConfirmDelete>
    </Paper>
  );
}
