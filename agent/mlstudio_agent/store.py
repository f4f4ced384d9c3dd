"""The device's folder: who it is, what it runs, the files of its models. Every write is whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import AgentError, NotEnrolled

DEFAULT_FOLDER = "/var/lib/mlstudio-agent"


def default_folder() -> Path:
    """`MLSTUDIO_AGENT_DIR`, else the system's folder where it may be written, else one of the user's own."""
    configured = os.environ.get("MLSTUDIO_AGENT_DIR")
    if configured:
        return Path(configured)
    system = Path(DEFAULT_FOLDER)
    return system if os.access(system, os.W_OK) else Path.home() / ".mlstudio-agent"


class Store:
    """`identity.json` (readable by its owner only), `state.json`, `models/` and `queue/` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.queue = folder / "queue"  # nothing is made before something is kept: looking leaves no traces

    # Who the device is

    def identity(self) -> dict:
        """`url`, `device`, `key`, and `keys`: the public keys that it trusts by their ids.

        Raises:
            NotEnrolled: there is none.
        """
        found = self._read("identity.json")
        if not found:
            raise NotEnrolled("This device is not enrolled. Run: mlstudio-agent enrol --url URL --code CODE")
        return found

    def write_identity(self, identity: dict) -> None:
        self._write("identity.json", identity)

    # What it does

    def state(self) -> dict:
        """`etag`, `sequence`, `settings`, `current` and `last_good` (manifest entries), `failed` (a file's sha256)."""
        return self._read("state.json")

    def update_state(self, **changes: Any) -> dict:
        with self._locked():
            state = {**self.state(), **changes}
            self._write_locked("state.json", state)
        return state

    def last_contact(self) -> dict:
        """`answered_at` (seconds since 1970) and `problem` of the last try to reach the studio; `{}` without one."""
        return self._read("contact.json")

    def note_contact(self, problem: str = "") -> None:
        """Keep whether the studio answered. Written every poll, so a power cut may lose it: memory cards wear out."""
        answered = time.time() if not problem else self.last_contact().get("answered_at")
        temporary = self.folder / ".contact.json.new"
        try:
            temporary.write_text(json.dumps({"answered_at": answered, "problem": problem}), encoding="utf-8")
            os.replace(str(temporary), str(self.folder / "contact.json"))
        except OSError:  # a full disk: predicting goes on
            pass

    def model_path(self, sha256: str) -> Path:
        return self.models / sha256

    def sweep(self) -> None:
        """Remove files of models that are neither current, nor good before, nor half here."""
        state = self.state()
        needed = {entry["file"]["sha256"] for entry in (state.get("current"), state.get("last_good")) if entry}
        for path in self.models.iterdir():
            if path.suffix != ".partial" and path.name not in needed:
                path.unlink()

    def _read(self, name: str) -> dict:
        path = self.folder / name
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise AgentError(f"{path} is damaged ({error}). Delete it; the device pulls what it needs.") from error
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, content: dict) -> None:
        with self._locked():
            self._write_locked(name, content)

    def _write_locked(self, name: str, content: dict) -> None:
        """Written beside it, on the disk for certain, then put in its place."""
        temporary = self.folder / f".{name}.new"
        handle = os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(temporary), str(self.folder / name))
        sync_folder(self.folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, of whatever process: `pull` by hand beside a running `watch`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(str(self.folder / ".lock"), "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def sync_folder(folder: Path) -> None:
    """Names in a folder survive a power cut after this."""
    handle = os.open(str(folder), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
