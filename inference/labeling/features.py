"""What a model sees in an image, as a vector."""

from __future__ import annotations

from inference.models import FileKind, Model, ModelFile
from storage import services as storage
from vision.analysis.embedding import DIMENSIONS, Embedder
from vision.runtime.interpreters import ModelFileError


def embedder_of(model: Model, dimensions: int = DIMENSIONS) -> Embedder | None:
    """The model's features; None for a network that shows none, which then finds no near-duplicates."""
    row = ModelFile.objects.select_related("blob").filter(model=model, kind=FileKind.LITERT_FLOAT32).first()
    if row is None:
        return None
    try:
        with storage.pinned(row.blob) as path:
            return Embedder(path, dimensions=dimensions)
    except ModelFileError:
        return None
