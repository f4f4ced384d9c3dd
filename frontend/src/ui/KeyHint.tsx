import { Kbd } from "@mantine/core";

interface Props {
  children: React.ReactNode;
  size?: "xs" | "sm";
}

/** The key of what stands beside it; hidden where there is only a touch screen (`base.css`). */
export function KeyHint({ children, size = "xs" }: Props) {
  return (
    <Kbd size={size} className="key-hint">
      {children}
    </Kbd>
  );
}
