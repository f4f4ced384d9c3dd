import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useDeploymentStates, useHealths } from "../../devices/words";
import { useArchitectureTitle } from "../../trainings/queries";
import { formatNumber } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import classes from "../Lineage.module.css";
import { type LabelledBy, type Lineage, useRollOuts, useRunners } from "../lineage";
import type { Model } from "../queries";
import { useStageWords } from "../words";

interface Props {
  project: string;
  model: Model;
  lineage: Lineage;
}

/** From the images on the left to the devices on the right; what one may open is a link. */
export function LineageColumns({ project, model, lineage }: Props) {
  return (
    <ol className={classes.columns}>
      <Column title={<Trans>Images and labels</Trans>}>
        <Data project={project} model={model} lineage={lineage} />
      </Column>
      <Column title={<Trans>Snapshot</Trans>}>
        <FrozenData project={project} model={model} lineage={lineage} />
      </Column>
      <Column title={<Trans>Training</Trans>}>
        <Learning project={project} model={model} lineage={lineage} />
      </Column>
      <Column title={<Trans>Model</Trans>}>
        <Models project={project} model={model} lineage={lineage} />
      </Column>
      <Column title={<Trans>In use</Trans>}>
        <Uses project={project} model={model} />
      </Column>
    </ol>
  );
}

function Column({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <li className={classes.column}>
      <Stack gap="xs">
        <Title order={2} size="h5">
          {title}
        </Title>
        {children}
      </Stack>
    </li>
  );
}

interface NodeProps {
  /** null: nothing that one may open. */
  to: string | null;
  name: ReactNode;
  isHere?: boolean;
  children?: ReactNode;
}

function Node({ to, name, isHere = false, children }: NodeProps) {
  return (
    <div className={classes.node} data-is={isHere ? "here" : undefined}>
      {to === null ? (
        <Text size="sm" fw={600}>
          {name}
        </Text>
      ) : (
        <Anchor component={Link} to={to} size="sm" fw={600} aria-current={isHere ? "page" : undefined}>
          {name}
        </Anchor>
      )}
      {children && (
        <Text size="xs" className="quiet" component="div">
          {children}
        </Text>
      )}
    </div>
  );
}

function Nothing({ children }: { children: ReactNode }) {
  return (
    <Text size="sm" className="quiet">
      {children}
    </Text>
  );
}

function Data({ project, model, lineage: { snapshot, labelled_by: labellers } }: Props) {
  const isOwn = model.project === project;
  if (!snapshot)
    return (
      <Nothing>
        <Trans>Not known: the model was not trained here, or its data is gone.</Trans>
      </Nothing>
    );
  return (
    <>
      {isOwn && snapshot.dataset ? (
        <div className={classes.node}>
          <Anchor
            size="sm"
            fw={600}
            renderRoot={(props) => (
              <Link
                to="/projects/$project/images"
                params={{ project }}
                search={{ dataset: snapshot.dataset ?? undefined }}
                {...props}
              />
            )}
          >
            {snapshot.dataset_name}
          </Anchor>
        </div>
      ) : (
        <Node to={null} name={snapshot.dataset_name} />
      )}
      {labellers.map((one) => (
        <Labeller key={`${one.user} ${one.origin}`} one={one} />
      ))}
      {snapshot.has_images && labellers.length === 0 && (
        <Nothing>
          <Trans>Its images have no labels any more.</Trans>
        </Nothing>
      )}
    </>
  );
}

function Labeller({ one: { user, origin, annotations } }: { one: LabelledBy }) {
  const { t } = useLingui();
  const ways = { human: t`by hand`, imported: t`imported`, model: t`by a model, confirmed by a person` };
  return (
    <Node to={null} name={user ?? ways[origin]}>
      <Plural value={annotations} one="# annotation" other="# annotations" />
      {user !== null && ` · ${ways[origin]}`}
    </Node>
  );
}

function FrozenData({ project, model, lineage: { snapshot } }: Props) {
  if (!snapshot)
    return (
      <Nothing>
        <Trans>None</Trans>
      </Nothing>
    );
  const isOwn = model.project === project;
  return (
    <Node
      to={isOwn ? `/projects/${project}/snapshots/${snapshot.id}` : null}
      name={model.snapshot_name ?? `${snapshot.dataset_name} #${snapshot.number}`}
    >
      <Trans>number {snapshot.number}</Trans>
      {!snapshot.has_images && (
        <>
          {" · "}
          <Trans>its images are gone</Trans>
        </>
      )}
    </Node>
  );
}

function Learning({ project, model, lineage }: Props) {
  const architectureTitle = useArchitectureTitle();
  const isOwn = model.project === project;
  return (
    <>
      {lineage.training && (
        <Node
          to={isOwn ? `/projects/${project}/trainings/${lineage.training}` : null}
          name={<Trans>Its training</Trans>}
        >
          {architectureTitle(model.architecture)}
          {model.created_by && ` · ${model.created_by}`}
        </Node>
      )}
      {lineage.origin && (
        <Node to={null} name={<Trans>Uploaded</Trans>}>
          {model.created_by}
        </Node>
      )}
      {!lineage.training && !lineage.origin && (
        <Nothing>
          <Trans>The training is not kept any more.</Trans>
        </Nothing>
      )}
      {lineage.ancestors.map((one, index) => (
        <Related key={one.id} project={project} one={one}>
          {index === 0 ? <Trans>It started from this model.</Trans> : <Trans>That started from this.</Trans>}
        </Related>
      ))}
      {lineage.ancestors.length === 0 && model.base_model_name && (
        <Node to={null} name={model.base_model_name}>
          <Trans>It started from this model.</Trans>
        </Node>
      )}
    </>
  );
}

function Models({ project, model, lineage }: Props) {
  const words = useStageWords();
  return (
    <>
      <Node to={`/projects/${project}/models/${model.id}`} name={`${model.name} v${model.version}`} isHere>
        {words[model.stage ?? "none"].name}
      </Node>
      {lineage.descendants.map((one) => (
        <Related key={one.id} project={project} one={one}>
          <Trans>It started from this page’s model.</Trans>
        </Related>
      ))}
    </>
  );
}

interface RelatedProps {
  project: string;
  one: Lineage["ancestors"][number];
  children: ReactNode;
}

function Related({ project, one, children }: RelatedProps) {
  const to = `/projects/${project}/models/${one.id}`;
  return (
    <Node to={to} name={`${one.name} v${one.version}`}>
      {children}
    </Node>
  );
}

function Uses({ project, model }: { project: string; model: Model }) {
  const { i18n } = useLingui();
  const states = useDeploymentStates();
  const healths = useHealths();
  const rollOuts = useRollOuts(project, model.id);
  const runners = useRunners(project, model.id);
  return (
    <>
      <Node to={`/projects/${project}/models/${model.id}/files`} name={<Trans>Files</Trans>}>
        <Plural value={model.files.length} one="# file" other="# files" />
      </Node>
      <Problem error={rollOuts.error ?? runners.error} retry={() => void rollOuts.refetch()} />
      {rollOuts.data?.results.map((one) => (
        <Node
          key={one.id}
          to={`/projects/${project}/deployments/${one.id}`}
          name={<Trans>Roll-out to {one.group_name}</Trans>}
        >
          {states[one.state]}
        </Node>
      ))}
      {rollOuts.data?.results.length === 0 && (
        <Nothing>
          <Trans>It was not rolled out to devices.</Trans>
        </Nothing>
      )}
      {runners.data?.results.map((one) => (
        <Node key={one.id} to={`/projects/${project}/devices/${one.id}`} name={one.name}>
          {healths[one.health]} · <Trans>predictions: {formatNumber(one.predictions, i18n.locale)}</Trans>
        </Node>
      ))}
      {(rollOuts.data?.next || runners.data?.next) && (
        <Anchor component={Link} to={`/projects/${project}/devices`} size="sm">
          <Trans>There are more: all devices</Trans>
        </Anchor>
      )}
    </>
  );
}
