import { Trans } from "@lingui/react/macro";
import { Skeleton, Stack } from "@mantine/core";
import { Problem } from "../ui/Problem";
import { Panel } from "./parts/Panel";
import { ProjectTable } from "./parts/ProjectTable";
import { StoreView } from "./parts/StoreView";
import { WeightsView } from "./parts/WeightsView";
import { useStore, useSystem, useWeights } from "./queries";

/** Where the bytes are: the store, the projects, and pretrained weights. */
export default function StoragePage() {
  const store = useStore();
  const system = useSystem();
  const weights = useWeights();
  return (
    <Stack>
      <Panel title={<Trans>Store</Trans>}>
        <Problem error={store.error} retry={() => void store.refetch()} />
        {store.data ? <StoreView store={store.data} /> : !store.error && <Skeleton height={120} />}
      </Panel>
      <Panel title={<Trans>By project</Trans>}>
        <Problem error={system.error} retry={() => void system.refetch()} />
        {system.data ? (
          <ProjectTable usage={system.data.usage} />
        ) : (
          !system.error && <Skeleton height={120} />
        )}
      </Panel>
      <Panel title={<Trans>Pretrained weights</Trans>}>
        <Problem error={weights.error} retry={() => void weights.refetch()} />
        {weights.data ? <WeightsView weights={weights.data} /> : !weights.error && <Skeleton height={120} />}
      </Panel>
    </Stack>
  );
}
