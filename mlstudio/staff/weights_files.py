"""Files of pretrained weights that the staff sends, where the server reaches no source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from common.errors import NotFound
from storage.errors import FileTooLarge
from storage.receiving import FormReceiver, open_form
from storage.uploads import StoredUpload
from training.weights import add_files, most_bytes
from training.weights_errors import WeightsProblem
from vision.training.pretrained import PRETRAINED, PretrainedWeights, WeightsFile


def open_weights_form(request: HttpRequest, user: User, keywords: Mapping[str, Any]) -> FormReceiver | None:
    """Takes nothing of what the view refuses."""
    may_add = getattr(user, "is_staff", False) and keywords["name"] in PRETRAINED
    return open_form(request, user, keywords) if may_add else None


def add_sent_files(*, name: str, uploads: Sequence[StoredUpload]) -> Path:
    """Check the files as `manage.py weights add` does, and put them into the place of those that are there.

    A single file may have any name; those of a preset are known by theirs.

    Raises:
        NotFound: there are no such weights.
        FileTooLarge
        WeightsProblem: `weights_incomplete`, `weights_differ`, `weights_folder`, `still_running`.
        InsufficientStorage: the disk is full.
    """
    if name not in PRETRAINED:
        raise NotFound(f"There are no weights {name!r}.")
    weights = PRETRAINED[name]
    for upload in uploads:
        if (upload.size or 0) > most_bytes(weights):
            raise FileTooLarge(f"{upload.name} is larger than {weights.title} can be.")
    return add_files(weights, _by_file(weights, uploads))


def _by_file(weights: PretrainedWeights, uploads: Sequence[StoredUpload]) -> dict[WeightsFile, Path]:
    if len(weights.files) == 1 and len(uploads) == 1:
        return {weights.files[0]: uploads[0].incoming.path}
    sent = {upload.name: upload.incoming.path for upload in uploads}
    wanted = {Path(file.path).name: file for file in weights.files}
    if len(sent) != len(uploads) or sent.keys() != wanted.keys():
        raise WeightsProblem(
            f"{weights.title} has {len(wanted)} files: {', '.join(wanted)}. Received: {', '.join(map(str, sent))}.",
            code="weights_incomplete",
            attr="files",
        )
    return {file: sent[name] for name, file in wanted.items()}
