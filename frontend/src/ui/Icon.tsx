import { type IconName, iconPaths } from "./icon-paths";

interface Props {
  name: IconName;
  size?: number;
  /** What a screen reader says; without it the icon is decoration beside a text. */
  label?: string;
}

export function Icon({ name, size = 18, label }: Props) {
  const paths = iconPaths[name].map((d) => <path key={d} d={d} />);
  const look = {
    width: size,
    height: size,
    viewBox: "0 0 24 24",
    fill: "none",
    stroke: "currentColor",
    strokeWidth: 1.75,
    strokeLinecap: "round",
    strokeLinejoin: "round",
  } as const;
  if (!label)
    return (
      <svg {...look} aria-hidden="true" focusable="false">
        {paths}
      </svg>
    );
  return (
    <svg {...look} role="img" aria-label={label}>
      {paths}
    </svg>
  );
}
