import { Badge, createTheme, InputWrapper, Kbd, type MantineColorsTuple, Tooltip } from "@mantine/core";

/** The one accent: a blue that keeps 4.5 : 1 on white at shade 7 and on the dark ground at shade 4. */
const studio: MantineColorsTuple = [
  "#e8f6fc",
  "#d3e9f4",
  "#a6d2e8",
  "#75b9dc",
  "#4ea5d2",
  "#2d8fc1",
  "#187fb3",
  "#0b6e99",
  "#085a7e",
  "#044763",
];

export const theme = createTheme({
  primaryColor: "studio",
  primaryShade: 7,
  autoContrast: true,
  luminanceThreshold: 0.32,
  colors: { studio },
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans SC', sans-serif",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Mantine's light badge and keyboard key are too pale for small text.
    Badge: Badge.extend({ defaultProps: { variant: "default", tt: "none", fw: 600 } }),
    InputWrapper: InputWrapper.extend({ styles: { description: { color: "var(--studio-quiet)" } } }),
    Kbd: Kbd.extend({ styles: { root: { color: "var(--mantine-color-text)" } } }),
    Tooltip: Tooltip.extend({
      defaultProps: { openDelay: 350, events: { hover: true, focus: true, touch: false } },
    }),
  },
});
