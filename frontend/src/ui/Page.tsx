import { Box, Container, type MantineSize } from "@mantine/core";
import type { ReactNode } from "react";

/** Where every page begins, however wide its content is: titles stand in one line from page to page. */
const FRAME = 1200;

const WIDTHS: Partial<Record<MantineSize, number>> = { sm: 720, md: 960 };

/** `width`: how wide lines of text and rows of a list may become: `sm` for forms, `md` for lists, otherwise the whole frame. */
export function Page({ width = "lg", children }: { width?: "sm" | "md" | "lg"; children: ReactNode }) {
  return (
    <Container size={FRAME} py="xl">
      <Box maw={WIDTHS[width]}>{children}</Box>
    </Container>
  );
}
