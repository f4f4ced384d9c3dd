import { Plural, Trans } from "@lingui/react/macro";
import { Anchor, List, Stack, Text, Title } from "@mantine/core";
import { type Confusion, cellOf } from "../matrix";
import type { Behind } from "../search";

const SHOWN = 12;

interface Props {
  names: string[];
  classNames: string[];
  confusions: Confusion[];
  open: ((behind: Behind) => void) | undefined;
}

/** What is confused most, in sentences that open their images. */
export function Confusions({ names, classNames, confusions, open }: Props) {
  if (confusions.length === 0)
    return (
      <Text size="sm">
        <Trans>Nothing is confused here.</Trans>
      </Text>
    );
  return (
    <Stack gap={4}>
      <Title order={3} size="h5">
        <Trans>Confused most</Trans>
      </Title>
      <List size="sm" spacing={2} type="ordered">
        {confusions.slice(0, SHOWN).map(({ row, column, count }) => (
          <List.Item key={`${row}-${column}`}>
            {open ? (
              <Anchor
                underline="always"
                component="button"
                ta="start"
                style={{ verticalAlign: "top" }}
                onClick={() => open(cellOf(classNames, row, column))}
              >
                <Sentence names={names} last={classNames.length} row={row} column={column} count={count} />
              </Anchor>
            ) : (
              <Sentence names={names} last={classNames.length} row={row} column={column} count={count} />
            )}
          </List.Item>
        ))}
      </List>
    </Stack>
  );
}

interface SentenceProps {
  names: string[];
  last: number;
  row: number;
  column: number;
  count: number;
}

function Sentence({ names, last, row, column, count }: SentenceProps) {
  const [label, predicted] = [names[row], names[column]];
  return (
    <>
      {row === last ? (
        <Trans>{predicted} seen where nothing is annotated</Trans>
      ) : column === last ? (
        <Trans>{label} not found</Trans>
      ) : (
        <Trans>
          {label} taken for {predicted}
        </Trans>
      )}
      {": "}
      <Plural value={count} one="# time" other="# times" />
    </>
  );
}
