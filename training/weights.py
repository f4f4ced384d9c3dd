"""Pretrained weights on this machine: brought from their source or a mirror, added from a file, checked."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from common.words import counted, format_bytes
from storage import services as storage
from storage.errors import InsufficientStorage, is_disk_full
from training.weights_check import digests, take
from training.weights_download import CannotFetch, Download, fetch, kept_bytes, shown_address
from training.weights_errors import WeightsBusy, WeightsProblem
from vision.model_import.weights_file import is_cut
from vision.training.architectures import find_weights, weights_folders
from vision.training.pretrained import PRETRAINED, PretrainedWeights, WeightsFile

# What the files here hash to, so that one that changes is seen also where its source publishes no hash.
HASHES = "sha256.json"
PARTIAL, STAGED, LOCK = ".partial", ".staged", ".lock"
# A source that sends without an end is left when it has sent so many times what is expected, and some more.
MOST_TIMES, MOST_MORE = 2, 64 << 20

OnProgress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class WeightsHere:
    """What of some weights is on this machine.

    Attributes:
        path: file or folder; None: not here.
        problem: why they should not be used, "" when nothing speaks against them.
        is_checked: whether a hash of their source, or that of the day on which they came, was compared.
    """

    weights: PretrainedWeights
    path: Path | None
    problem: str = ""
    is_checked: bool = False


def own_folder() -> Path:
    """Where the studio puts weights; it is looked into beside the folders of `MLSTUDIO_WEIGHTS_DIR`."""
    return settings.WEIGHTS_FOLDER


def weights_named(name: str) -> PretrainedWeights:
    """Raises `WeightsProblem`: there are none of this name."""
    if name not in PRETRAINED:
        detail = f"There are no weights {name!r}; there are {', '.join(PRETRAINED)}."
        raise WeightsProblem(detail, code="does_not_exist")
    return PRETRAINED[name]


def download(weights: PretrainedWeights, on_progress: OnProgress = lambda file, done, total: None) -> Path:
    """Bring the files from their source, or from the mirror `MLSTUDIO_WEIGHTS_URL`; what is here already stays.

    A download that was cut goes on where it ended. Proxies are those of the environment (`HTTPS_PROXY`, `NO_PROXY`).
    Weights are in their place only when all their files are whole and hash to what their source says.

    Args:
        on_progress: called with the file's name, the bytes that are here and those that it has, None where unknown.

    Raises:
        WeightsProblem: `weights_unreachable`, `weights_differ`, `weights_folder`, `still_running`.
        InsufficientStorage: the disk is full.
    """
    with _alone():
        if (here := find_weights(weights.architecture, weights.kind)) is not None:
            return here
        _check_place(weights)
        storage.ensure_free_space(weights.approximate_bytes)
        for file in weights.files:
            staged = _staged(weights, file)
            if not staged.exists():
                staged.parent.mkdir(parents=True, exist_ok=True)
                _download_file(weights, file, staged, on_progress)
        return _put_in_place(weights)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two that write the same file would damage it."""
    folder = own_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / LOCK, "w")  # noqa: SIM115 - closed below
    except OSError as error:
        is_there = folder.is_symlink() or folder.exists()
        raise _folder_problem("it is no folder" if is_there and not folder.is_dir() else error.strerror) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WeightsBusy() from error
        try:
            yield
        except OSError as error:
            if is_disk_full(error):
                raise InsufficientStorage() from error
            raise _folder_problem(error.strerror) from error


def _folder_problem(reason: str | None) -> WeightsProblem:
    reason = reason or "it cannot be written"
    detail = f"The folder of weights {own_folder()} cannot be used: {reason}. Make it a folder that can be written to."
    return WeightsProblem(detail, code="weights_folder")


def _check_place(weights: PretrainedWeights) -> None:
    """A folder under the name of a file, and the other way round, is somebody's: it is not replaced."""
    place = own_folder() / weights.place
    if (place.exists() or place.is_symlink()) and place.is_dir() == (place.suffix == ".h5"):
        is_, wanted = ("a folder", "a file") if place.is_dir() else ("no folder", "a folder")
        raise WeightsProblem(f"{place} is {is_}, where {wanted} belongs. Move it away.", code="weights_folder")


def _staged(weights: PretrainedWeights, file: WeightsFile) -> Path:
    """Where a whole file waits for the others of its weights."""
    return own_folder() / f"{weights.place}{STAGED}" / Path(file.path).name


def _put_in_place(weights: PretrainedWeights) -> Path:
    target, staged = own_folder() / weights.place, [_staged(weights, file) for file in weights.files]
    hashes = {file.path: digests(path)[1] for file, path in zip(weights.files, staged, strict=True)}
    folder = staged[0].parent
    if len(staged) > 1:
        if target.is_dir():  # older, or not whole
            shutil.rmtree(target)
        folder.replace(target)
    else:
        staged[0].replace(target)
        folder.rmdir()
    _remember(hashes)
    return target


def _download_file(weights: PretrainedWeights, file: WeightsFile, target: Path, on_progress: OnProgress) -> None:
    url, partial = _address_of(file), target.with_name(target.name + PARTIAL)
    on_bytes = functools.partial(on_progress, target.name)
    try:
        published = fetch(Download(url, partial, most_bytes(weights), on_bytes))
    except CannotFetch as error:
        kept = kept_bytes(partial)
        so_far = f" {format_bytes(kept)} are here; the next try goes on from there." if kept else ""
        raise WeightsProblem(
            f"{shown_address(url)} could not be read: {error}.{so_far} Without the internet, bring the file "
            f"{target.name} another way and add it: manage.py weights add {target.name}",
            code="weights_unreachable",
        ) from error
    take(weights, file, partial, target, published)


def _address_of(file: WeightsFile) -> str:
    mirror = settings.WEIGHTS_URL
    return f"{mirror.rstrip('/')}/{file.path}" if mirror else file.url


def most_bytes(weights: PretrainedWeights) -> int:
    """More than any of its files has."""
    return MOST_TIMES * weights.approximate_bytes + MOST_MORE


def add(path: Path) -> list[PretrainedWeights]:
    """Take a file, or the folder of a preset, that was brought another way. Returns the weights that it is.

    Raises:
        WeightsProblem: `weights_unknown`: it is named as none of them; `weights_incomplete`, `weights_differ`,
            `weights_folder`, `still_running`.
    """
    known = [weights for weights in PRETRAINED.values() if weights.place == path.name]
    if not known:
        names = ", ".join(sorted({weights.place for weights in PRETRAINED.values()}))
        raise WeightsProblem(
            f"{path.name} is named as none of the weights that are used here. Name it as its source does: {names}.",
            code="weights_unknown",
        )
    if not path.exists():
        raise WeightsProblem(f"There is no file {path}.", code="weights_incomplete")
    weights = known[0]
    if path.is_dir() and len(weights.files) == 1:
        raise WeightsProblem(f"{path} is a folder; name the file.", code="weights_incomplete")
    brought = {file: path if path.is_file() else path / Path(file.path).name for file in weights.files}
    for source in brought.values():
        if not source.is_file():
            detail = f"{path.name} has no file {source.name}: bring the whole folder."
            raise WeightsProblem(detail, code="weights_incomplete")
    add_files(weights, brought)
    return known


def add_files(weights: PretrainedWeights, brought: dict[WeightsFile, Path]) -> Path:
    """Copy all files of some weights into their place, in the stead of those that are there.

    Raises:
        WeightsProblem: `weights_differ`, `weights_folder`, `still_running`.
        InsufficientStorage: the disk is full.
    """
    with _alone():
        _check_place(weights)
        for file, source in brought.items():
            storage.ensure_free_space(source.stat().st_size)
            staged = _staged(weights, file)
            staged.parent.mkdir(parents=True, exist_ok=True)
            partial = staged.with_name(staged.name + PARTIAL)
            shutil.copyfile(source, partial)
            take(weights, file, partial, staged)
        return _put_in_place(weights)


def state_of_all() -> Iterator[WeightsHere]:
    """What is here, without reading the files."""
    for weights in PRETRAINED.values():
        yield WeightsHere(weights, find_weights(weights.architecture, weights.kind))


def verify() -> Iterator[WeightsHere]:
    """What is here, compared with what the sources publish and with what it was when it came.

    A file that several networks start from is read once, for the first of them.
    """
    remembered = _remembered()
    first_of = {weights.place: weights for weights in reversed(PRETRAINED.values())}
    for weights in reversed(first_of.values()):
        found = find_weights(weights.architecture, weights.kind) or _unfinished_preset(weights)
        if found is None:
            continue
        checked, problem = True, ""
        for file in weights.files:
            path = found if found.is_file() else found / Path(file.path).name
            if not path.is_file():
                problem = f"{path.name} is missing"
                break
            expected = file.md5 or (remembered.get(file.path, "") if own_folder() in path.parents else "")
            checked = checked and bool(expected)
            if expected and expected not in digests(path):
                problem = f"{path.name} is not what it should be: delete it and bring it again"
                break
            if is_cut(path):
                problem = f"the end of {path.name} is missing: delete it and bring it again"
                break
        yield WeightsHere(weights, found, problem, checked)


def _unfinished_preset(weights: PretrainedWeights) -> Path | None:
    """A folder under the name of a preset, of which files are missing."""
    if len(weights.files) == 1:
        return None
    return next((folder / weights.place for folder in weights_folders() if (folder / weights.place).is_dir()), None)


def _remember(hashes: dict[str, str]) -> None:
    hashes = _remembered() | hashes
    unfinished = own_folder() / f"{HASHES}{PARTIAL}"
    unfinished.write_text(json.dumps(hashes, indent=2, sort_keys=True))
    unfinished.replace(own_folder() / HASHES)


def _remembered() -> dict[str, str]:
    try:
        hashes = json.loads((own_folder() / HASHES).read_text())
    except (OSError, ValueError):
        return {}
    return (
        {file: sha256 for file, sha256 in hashes.items() if isinstance(sha256, str)} if isinstance(hashes, dict) else {}
    )


def size_of(weights: PretrainedWeights) -> str:
    """For people, before anything was downloaded."""
    return f"about {format_bytes(weights.approximate_bytes)}, {counted(len(weights.files), 'file')}"
