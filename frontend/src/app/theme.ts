import {
  Alert,
  Badge,
  createTheme,
  InputWrapper,
  Kbd,
  type MantineColorsTuple,
  Tooltip,
} from "@mantine/core";

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

/** Greys with a little of the accent's blue, as the tokens of `base.css` have: fields and panels are of one family. */
const dark: MantineColorsTuple = [
  "#d3d9df",
  "#bac2ca",
  "#a3adb8",
  "#7d8791",
  "#3c454d",
  "#2d343b",
  "#23292e",
  "#1b1f23",
  "#14171a",
  "#0f1214",
];

export const theme = createTheme({
  primaryColor: "studio",
  primaryShade: 7,
  autoContrast: true,
  luminanceThreshold: 0.32,
  colors: { studio, dark },
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans SC', sans-serif",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Alert: Alert.extend({ defaultProps: { variant: "light" } }),
    // Mantine's light badge and keyboard key are too pale for small text.
    Badge: Badge.extend({ defaultProps: { variant: "default", tt: "none", fw: 600 } }),
    InputWrapper: InputWrapper.extend({ styles: { description: { color: "var(--studio-quiet)" } } }),
    Kbd: Kbd.extend({ styles: { root: { color: "var(--mantine-color-text)" } } }),
    Tooltip: Tooltip.extend({
      defaultProps: { openDelay: 350, events: { hover: true, focus: true, touch: false } },
    }),
  },
});
