import { useLingui } from "@lingui/react/macro";
import { ActionIcon, Tooltip } from "@mantine/core";
import { useShortcut } from "../../keyboard/useShortcut";
import { Icon } from "../../ui/Icon";
import { KeyHint } from "../../ui/KeyHint";

interface ToolProps {
  icon: "square" | "pointer";
  title: string;
  keys: string;
  isOn: boolean;
  act: () => void;
}

export function Tool({ icon, title, keys, isOn, act }: ToolProps) {
  const { t } = useLingui();
  useShortcut({ id: `annotator.tool.${icon}`, scope: t`Annotator`, title, keys, run: act });
  return (
    <Tooltip
      label={
        <>
          {title} <KeyHint>{keys}</KeyHint>
        </>
      }
    >
      <ActionIcon
        variant={isOn ? "filled" : "default"}
        size="lg"
        aria-pressed={isOn}
        aria-label={title}
        onClick={act}
      >
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}
