"""Pretrained weights on this machine: brought from their source or a mirror, added from a file, checked."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from django.conf import settings

from common.errors import StudioError
from common.words import counted, format_bytes
from storage import services as storage
from vision.training.architectures import find_weights
from vision.training.pretrained import PRETRAINED, PretrainedWeights, WeightsFile

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
# Of a connection that is cut all but the last piece is kept.
PIECE, CHUNK = 1 << 16, 1 << 20
# What the files here hash to, so that one that changes is seen also where its source publishes no hash.
HASHES = "sha256.json"
PARTIAL, STAGED, LOCK = ".partial", ".staged", ".lock"
HDF5 = b"\x89HDF\r\n\x1a\n"
# A source that sends without an end is left when it has sent so many times what is expected, and some more.
MOST_TIMES, MOST_MORE = 2, 64 << 20
SHA256 = re.compile(r"^[0-9a-f]{64}$")
HEADERS = {"User-Agent": "mlstudio", "Accept-Encoding": "identity"}

OnProgress = Callable[[str, int, int | None], None]


class WeightsProblem(StudioError):
    """Weights could not be brought or added; the code is for programs, the sentence says what to do."""


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
        WeightsProblem: `weights_unreachable`, `weights_differ`, `still_running`.
        InsufficientStorage: the disk is full.
    """
    with _alone():
        if (here := find_weights(weights.architecture, weights.kind)) is not None:
            return here
        storage.ensure_free_space(weights.approximate_bytes)
        for file in weights.files:
            staged = _staged(weights, file)
            if not staged.exists():
                staged.parent.mkdir(parents=True, exist_ok=True)
                _download_file(file, staged, MOST_TIMES * weights.approximate_bytes + MOST_MORE, on_progress)
        return _put_in_place(weights)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two that write the same file would damage it."""
    own_folder().mkdir(parents=True, exist_ok=True)
    with open(own_folder() / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            detail = "Weights are brought already. Wait until that has ended."
            raise WeightsProblem(detail, code="still_running") from error
        yield


def _staged(weights: PretrainedWeights, file: WeightsFile) -> Path:
    """Where a whole file waits for the others of its weights."""
    return own_folder() / f"{weights.place}{STAGED}" / Path(file.path).name


def _put_in_place(weights: PretrainedWeights) -> Path:
    target, staged = own_folder() / weights.place, [_staged(weights, file) for file in weights.files]
    hashes = {file.path: _digests(path)[1] for file, path in zip(weights.files, staged, strict=True)}
    folder = staged[0].parent
    if len(staged) > 1:
        folder.replace(target)
    else:
        staged[0].replace(target)
        folder.rmdir()
    _remember(hashes)
    return target


def _download_file(file: WeightsFile, target: Path, most: int, on_progress: OnProgress) -> None:
    url, partial = _address_of(file), target.with_name(target.name + PARTIAL)
    try:
        published = _fetch(url, partial, most, lambda done, total: on_progress(target.name, done, total))
    except (requests.RequestException, ValueError) as error:  # the latter of some addresses that are none
        kept = partial.stat().st_size if partial.exists() else 0
        so_far = f" {format_bytes(kept)} are here; the next try goes on from there." if kept else ""
        raise WeightsProblem(
            f"{shown_address(url)} could not be read: {_reason(error, kept)}.{so_far} Without the internet, bring the "
            f"file {target.name} another way and add it: manage.py weights add {target.name}",
            code="weights_unreachable",
        ) from error
    _take(file, partial, target, published)


def shown_address(url: str) -> str:
    """An address without the name and password that it may have."""
    return re.sub(r"//[^/]*@", "//", url)


def _address_of(file: WeightsFile) -> str:
    mirror = settings.WEIGHTS_URL
    return f"{mirror.rstrip('/')}/{file.path}" if mirror else file.url


def _fetch(url: str, partial: Path, most: int, on_progress: Callable[[int, int | None], None]) -> str:
    """Append what is missing to the partial file. Returns the SHA-256 that the server states, or ""."""
    have = partial.stat().st_size if partial.exists() else 0
    headers = HEADERS | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as answer:
        if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return _stated_hash(answer)  # all of it is here
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            have = 0  # the server sends it from the beginning
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        with open(partial, "ab" if have else "wb") as target:
            for chunk in answer.iter_content(PIECE):
                target.write(chunk)
                have += len(chunk)
                if have > most:
                    target.truncate(0)
                    raise requests.RequestException(f"it sent more than {format_bytes(most)}")
                on_progress(have, total)
        return _stated_hash(answer)


def _stated_hash(answer: requests.Response) -> str:
    """That of a large file at Hugging Face, which is in the answer that leads to it."""
    for response in (*answer.history, answer):
        stated = response.headers.get("X-Linked-Etag", "").strip('"')
        if SHA256.match(stated):
            return stated
    return ""


def _reason(error: requests.RequestException | ValueError, kept: int) -> str:
    if isinstance(error, requests.TooManyRedirects):
        return "it leads in a circle"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"it answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not let it through"
    if isinstance(error, requests.Timeout):
        return "it does not answer"
    if isinstance(error, ValueError):  # as requests calls addresses that are none
        return "that is no address of a file"
    if type(error) is requests.RequestException:
        return str(error)
    return "the connection was cut" if kept else "there is no connection to it"


def _take(file: WeightsFile, partial: Path, target: Path, published: str = "") -> None:
    """Give a whole file its name, when it is what its source says.

    Raises:
        WeightsProblem: `weights_differ`; the file is gone.
    """
    expected = file.md5 or published
    if not _begins_as(partial, target.suffix):
        partial.unlink()
        raise WeightsProblem(
            f"{target.name} is no file of weights: perhaps a page of a proxy or of a portal came in its place. It was "
            "deleted.",
            code="weights_differ",
        )
    if expected and expected not in _digests(partial):
        partial.unlink()
        raise WeightsProblem(
            f"{target.name} is not what its source published ({expected}): it was damaged or replaced on the way, and "
            "was deleted. Bring it again; if that does not help, ask who runs the mirror.",
            code="weights_differ",
        )
    partial.replace(target)


def _begins_as(path: Path, suffix: str) -> bool:
    """Whether a file begins as one of its kind does: HDF5 by its signature, JSON by its bracket."""
    with open(path, "rb") as file:
        start = file.read(64)
    return start.startswith(HDF5) if suffix == ".h5" else start.lstrip()[:1] == b"{"


def _digests(path: Path) -> tuple[str, str]:
    """`(md5, sha256)`. MD5 is what Keras publishes; it is compared with, and proves no more than that."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
    return md5.hexdigest(), sha256.hexdigest()


def add(path: Path) -> list[PretrainedWeights]:
    """Take a file, or the folder of a preset, that was brought another way. Returns the weights that it is.

    Raises:
        WeightsProblem: `weights_unknown`: it is named as none of them; `weights_incomplete`, `weights_differ`,
            `still_running`.
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
    brought = {file: path if path.is_file() else path / Path(file.path).name for file in weights.files}
    for source in brought.values():
        if not source.is_file():
            detail = f"{path.name} has no file {source.name}: bring the whole folder."
            raise WeightsProblem(detail, code="weights_incomplete")
    with _alone():
        for file, source in brought.items():
            storage.ensure_free_space(source.stat().st_size)
            staged = _staged(weights, file)
            staged.parent.mkdir(parents=True, exist_ok=True)
            partial = staged.with_name(staged.name + PARTIAL)
            shutil.copyfile(source, partial)
            _take(file, partial, staged)
        if (place := own_folder() / weights.place).is_dir():
            shutil.rmtree(place)
        _put_in_place(weights)
    return known


def state_of_all() -> Iterator[WeightsHere]:
    """What is here, without reading the files."""
    for weights in PRETRAINED.values():
        yield WeightsHere(weights, find_weights(weights.architecture, weights.kind))


def verify() -> Iterator[WeightsHere]:
    """What is here, compared with what the sources publish and with what it was when it came."""
    remembered = _remembered()
    for here in state_of_all():
        if here.path is None:
            continue
        checked, problem = True, ""
        for file in here.weights.files:
            path = here.path if here.path.is_file() else here.path / Path(file.path).name
            if not path.is_file():
                problem = f"{path.name} is missing"
                break
            digests = _digests(path)
            expected = file.md5 or (remembered.get(file.path, "") if own_folder() in path.parents else "")
            checked = checked and bool(expected)
            if expected and expected not in digests:
                problem = f"{path.name} is not what it should be: delete it and bring it again"
                break
        yield WeightsHere(here.weights, here.path, problem, checked)


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
