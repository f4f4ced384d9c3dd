"""From a manifest to a running model: ask, check, fetch, test, and only then change over."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from . import selftest, trust
from .errors import AgentError, ModelFailed, NoModel
from .fetch import fetch
from .predictor import Predictor
from .store import Store
from .studio import Studio

log = logging.getLogger(__name__)


class Puller:
    """Keeps `current` in the store at what the studio wants, as long as that works."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.identity = store.identity()
        self.studio = Studio(self.identity["url"], self.identity["key"])
        self.problem = ""

    def pull(self) -> bool:
        """One poll. Returns whether the model changed. A model that fails is remembered, and not tried again.

        Raises:
            StudioUnreachable, Refused, DownloadFailed: later is another day.
            NotTrusted: something was not what it should be; nothing was taken.
        """
        state = self.store.state()
        try:
            envelope, etag = self.studio.manifest(state.get("etag", ""))
        except AgentError as error:
            self.store.note_contact(str(error))
            raise
        self.store.note_contact()
        if envelope is None:
            return False
        manifest = trust.opened(envelope, self.identity, state.get("sequence", 0))
        self._trust(manifest["keys"])
        changed = self._take(manifest, state)
        # Only now: a break in between repeats the whole poll.
        self.store.update_state(etag=etag, sequence=manifest["sequence"], settings=manifest["settings"])
        return changed

    def _trust(self, entries: list) -> None:
        """Keys that a trusted one names are trusted from now on; those that it does not name any more are not."""
        keys = trust.keys_of(entries)
        if keys != self.identity["keys"]:
            self.identity = {**self.identity, "keys": keys}
            self.store.write_identity(self.identity)

    def _take(self, manifest: dict, state: dict) -> bool:
        if manifest["deployment"] is None:
            self.problem = ""
            if not manifest.get("stop"):  # nothing is deployed, or what was is gone: what runs here goes on
                return False
            self.store.update_state(current=None, last_good=None, failed=None)
            return state.get("current") is not None
        entry = {key: manifest[key] for key in ("deployment", "model", "file")}
        current = state.get("current")
        path = self.store.model_path(entry["file"]["sha256"])
        if current and current["file"]["sha256"] == entry["file"]["sha256"] and path.exists():
            self.problem = ""
            self.store.update_state(current=entry, failed=None)
            return current["deployment"] != entry["deployment"] or current["model"] != entry["model"]
        path = fetch(entry["file"], path, self.studio)
        try:
            selftest.check(entry, path)
        except ModelFailed as error:
            self.refuse(entry, str(error))
            return False
        self.problem = ""
        self.store.update_state(current=entry, last_good=current or state.get("last_good"), failed=None)
        self.store.sweep()
        log.info("now running %s v%s", entry["model"]["name"], entry["model"]["version"])
        return True

    def refuse(self, entry: dict, problem: str) -> None:
        """Note that a model failed; the one before stays."""
        self.problem = problem
        failed = {"deployment": entry["deployment"], "sha256": entry["file"]["sha256"], "problem": problem}
        self.store.update_state(failed=failed)
        log.error("the new model failed its self-test, keeping the last good one: %s", problem)

    def fall_back(self, problem: str) -> bool:
        """Return to the last good model because the current one fails. Returns whether there is one."""
        state = self.store.state()
        current, last = state.get("current"), state.get("last_good")
        if current is None or last is None or last["file"]["sha256"] == current["file"]["sha256"]:
            return False
        self.refuse(current, problem)
        self.store.update_state(current=last, last_good=None)
        return True


@dataclass(frozen=True)
class Loaded:
    """A model that is ready.

    Attributes:
        entry: of the manifest that it came with.
        problem: why this is the last good one and not the current one; empty when it is the current one.
    """

    entry: dict
    predictor: Predictor
    problem: str = ""


def load(store: Store) -> Loaded:
    """The current model, or the last good one when that cannot be loaded.

    Raises:
        NoModel: there is none yet.
    """
    state = store.state()
    problems: list = []
    for entry in (state.get("current"), state.get("last_good")):
        if not entry:
            continue
        path = store.model_path(entry["file"]["sha256"])
        if not path.exists():
            problems.append("its file is gone")
            continue
        try:
            return Loaded(entry, Predictor(entry, path), "; ".join(problems))
        except AgentError as error:
            problems.append(str(error))
    detail = f" The one that was here cannot be loaded: {'; '.join(problems)}." if problems else ""
    raise NoModel(f"This device has no model to run yet.{detail}")
