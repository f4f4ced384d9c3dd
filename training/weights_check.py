"""Whether a file that came is what its source published, and what it is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from training.weights_errors import WeightsProblem
from vision.model_import.weights_file import HDF5, check_weights
from vision.sandbox.protections import SandboxMissing
from vision.training.errors import UploadError
from vision.training.pretrained import PretrainedWeights, WeightsFile

CHUNK = 1 << 20
# Its numbers may take so many times what is expected. A preset may be of a part of the network: of its backbone.
LEAST_SHARE, MOST_SHARE = 0.5, 2
MOST_JSON_BYTES = 16 << 20


def take(weights: PretrainedWeights, file: WeightsFile, partial: Path, target: Path, published: str = "") -> None:
    """Give a whole file its name, when it is what its source says and what it is named.

    Raises:
        WeightsProblem: `weights_differ`; the file is gone.
    """
    expected = file.md5 or published
    if not _begins_as(partial, target.suffix):
        reason = "is no file of weights: perhaps a page of a proxy or of a portal came in its place"
    elif expected and expected not in digests(partial):
        reason = f"is not what its source published ({expected}): it was damaged or replaced on the way"
    else:
        reason = _why_not(weights, partial, target.suffix)
    if reason:
        partial.unlink()
        raise WeightsProblem(
            f"{target.name} {reason}. It was not taken. Bring it again; if that does not help, ask who runs the mirror "
            "or gave you the file.",
            code="weights_differ",
        )
    partial.replace(target)


def _begins_as(path: Path, suffix: str) -> bool:
    """Whether a file begins as one of its kind does: HDF5 by its signature, JSON by its bracket."""
    with open(path, "rb") as file:
        start = file.read(64)
    return start.startswith(HDF5) if suffix == ".h5" else start.lstrip()[:1] == b"{"


def _why_not(weights: PretrainedWeights, path: Path, suffix: str) -> str:
    """What speaks against a file that is named as one of some weights, "" when nothing does."""
    try:
        if suffix == ".h5":
            expected = weights.approximate_bytes
            check_weights(path, int(LEAST_SHARE * expected), MOST_SHARE * expected)
        elif path.stat().st_size > MOST_JSON_BYTES:
            return "is too large for what it is named"
        else:
            json.loads(path.read_bytes())
    except UploadError as error:
        return f"is damaged, or holds something else than these weights: {str(error).rstrip('.')}"
    except (ValueError, RecursionError):
        return "is damaged: it cannot be read as JSON"
    except SandboxMissing as error:
        raise WeightsProblem(str(error), code="sandbox_missing") from error
    return ""


def digests(path: Path) -> tuple[str, str]:
    """`(md5, sha256)`. MD5 is what Keras publishes; it is compared with, and proves no more than that."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
    return md5.hexdigest(), sha256.hexdigest()
