import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Center, List, Loader, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { isInTheWay } from "../../api/errors";
import type { Model } from "../../models/queries";
import { useArchitectureTitle } from "../../trainings/queries";
import { formatBytes } from "../../ui/bytes";
import { Duration } from "../../ui/Duration";
import { EmptyState } from "../../ui/EmptyState";
import { Problem } from "../../ui/Problem";
import { readCard } from "../card";
import classes from "../Quality.module.css";
import { useCard } from "../queries";

/** The model card: what it is, what it was made from, where it fails, as others should be told. */
export function CardView({ project, model }: { project: string; model: Model }) {
  const architectureTitle = useArchitectureTitle();
  const { t, i18n } = useLingui();
  const { data, error, isLoading, refetch } = useCard(project, model);
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (isLoading)
    return (
      <Center mih={240}>
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  if (data === undefined)
    return (
      <EmptyState icon="info-circle" title={<Trans>It has no model card</Trans>}>
        <Trans>A training writes one. This model was made elsewhere.</Trans>
      </EmptyState>
    );
  const card = readCard(data);
  const markdown = model.files.find(({ kind }) => kind === "model_card");
  return (
    <Stack gap="xl">
      <Section title={model.name}>
        {markdown && (
          <Anchor href={markdown.url} download size="sm">
            <Trans>Download the card</Trans>
          </Anchor>
        )}
      </Section>
      <Section title={t`Limits`}>
        {card.limits.length === 0 ? (
          <Text size="sm">
            <Trans>The training noted none.</Trans>
          </Text>
        ) : (
          <List size="sm" spacing={4} fz="sm">
            {card.limits.map((limit) => (
              <List.Item key={limit}>{limit}</List.Item>
            ))}
          </List>
        )}
      </Section>
      <Section title={t`Data`}>
        <Facts
          rows={[
            [t`Dataset`, card.dataset],
            [t`Snapshot`, card.snapshot === null ? null : `#${card.snapshot}`],
            [
              t`Images`,
              card.splits.map(([name, count]) => `${name} ${count.toLocaleString(i18n.locale)}`).join(", "),
            ],
            [t`Labels`, model.class_names.slice(0, 30).join(", ")],
            [t`Digest`, card.digest],
          ]}
        />
      </Section>
      <Section title={t`How it was made`}>
        <Facts
          rows={[
            [t`Architecture`, architectureTitle(model.architecture)],
            [t`Parameters`, model.parameters.toLocaleString(i18n.locale)],
            [t`Time`, card.seconds === null ? null : <Duration key="time" seconds={card.seconds} />],
            [t`Memory`, card.memoryBytes === null ? null : formatBytes(card.memoryBytes, i18n.locale)],
          ]}
        />
        <details>
          <Text component="summary" size="sm" style={{ cursor: "pointer" }}>
            <Trans>All settings and versions</Trans>
          </Text>
          <Facts rows={[...card.settings, ...card.versions]} />
        </details>
      </Section>
      <Section title={t`How to use it`}>
        <Facts
          rows={[
            [t`Input`, card.input],
            [t`Output`, card.output],
          ]}
        />
      </Section>
    </Stack>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="xs" component="section">
      <Title order={2} size="h4">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className={classes.facts}>
      {rows
        .filter(([, value]) => value !== null && value !== "")
        .map(([name, value]) => (
          <div key={name} style={{ display: "contents" }}>
            <Text component="dt" size="sm">
              {name}
            </Text>
            <Text component="dd" size="sm">
              {value}
            </Text>
          </div>
        ))}
    </dl>
  );
}
