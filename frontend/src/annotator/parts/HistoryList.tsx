import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Collapse, Group, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Annotation, Label, StudioImage } from "../../api/types";
import { Icon } from "../../ui/Icon";
import classes from "../Annotator.module.css";
import { useImageHistory } from "../queries";
import { type Mark, ownId } from "../store";
import type { Actions } from "../useAnnotator";

interface Props {
  project: string;
  image: StudioImage;
  labels: Label[];
  actions: Actions;
  mayEdit: boolean;
}

/** Who changed the annotations of this image and when, each state to be put back. */
export function HistoryList({ project, image, labels, actions, mayEdit }: Props) {
  const { t, i18n } = useLingui();
  const [isOpen, { toggle }] = useDisclosure(false);
  const { data } = useImageHistory(project, image.id, isOpen);
  return (
    <section>
      <UnstyledButton className={classes.row} onClick={toggle} aria-expanded={isOpen}>
        <Icon name={isOpen ? "chevron-down" : "chevron-right"} size={14} />
        <span className={classes.text}>
          <Trans>History of this image</Trans>
        </span>
      </UnstyledButton>
      <Collapse expanded={isOpen}>
        <Stack gap={6} px={8}>
          {data?.length === 0 && (
            <Text size="xs" className="quiet">
              <Trans>Nothing was changed yet.</Trans>
            </Text>
          )}
          {data?.map((change) => (
            <Group key={change.revision} justify="space-between" wrap="nowrap" gap="xs">
              <div>
                <Text size="xs">
                  {change.changed_by ?? t`A model`}
                  {", "}
                  {new Date(change.changed_at).toLocaleString(i18n.locale, {
                    dateStyle: "short",
                    timeStyle: "short",
                  })}
                </Text>
                <Text size="xs" className="quiet">
                  <Plural
                    value={change.before.length}
                    one="before: # annotation"
                    other="before: # annotations"
                  />
                </Text>
              </div>
              {mayEdit && (
                <Button
                  size="compact-xs"
                  variant="default"
                  onClick={() => actions.replaceAll(t`Put back`, restored(change.before, labels))}
                >
                  <Trans>Put back</Trans>
                </Button>
              )}
            </Group>
          ))}
        </Stack>
      </Collapse>
    </section>
  );
}

type Kept = Partial<Pick<Annotation, "label" | "label_id" | "box" | "origin" | "score" | "confirmed">>;

/** What stood there before, with labels that still exist. */
function restored(before: readonly unknown[], labels: readonly Label[]): Mark[] {
  return (before as Kept[]).flatMap(({ label, label_id, box, origin, score, confirmed }) => {
    const found = labels.find(({ id, name }) => id === label_id || name === label);
    if (!found) return [];
    const mark: Mark = {
      id: ownId(),
      label: found.id,
      box: (box as Mark["box"]) ?? null,
      confirmed: confirmed ?? true,
      origin: origin ?? "human",
      score: score ?? null,
    };
    return [mark];
  });
}
