"""Keeping the live model of a project: a training of the same head on the same features, which ends in a model.

The live model has learned from every label there is, so nothing is left to say how good it is. What is kept has
learned from the training split of a snapshot, was chosen on its validation split, and is measured on its test split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count

from common.words import counted
from datasets.models import Dataset, Image
from datasets.selectors import is_labelled
from inference.embeddings.embedders import ProjectEmbedder, embedder_for
from inference.live_model.reading import NOT_YET, status_of, why_never
from jobs.models import Job
from projects.models import Project
from training.errors import CannotTrain, NoLiveModel
from training.large_datasets import StartTrainingParameters, dataset_to_freeze, start_from_dataset
from training.models import TrainingRun
from training.services import start_training

# The head as the live model has it: solved at once.
SETTINGS = {"preset": "quick", "fine_tune": False, "augmentation": "none", "head_solver": "lbfgs", "epochs": 1}
TOO_FEW = (
    "A model is measured on labelled images that it has not learned from, and there are too few for that. Label at "
    "least 5 images of each label in the dataset, then keep it."
)


@dataclass(frozen=True)
class Kept:
    """What keeping has begun: the training, or the job that takes the snapshot of a large dataset first."""

    training: TrainingRun | None = None
    job: Job | None = None


def keep_live_model(*, project: Project, user: User, dataset: Dataset | None = None, name: str = "") -> Kept:
    """Make a model of the project out of its live model, on the labels of one dataset.

    Args:
        dataset: without it that with the most labelled images.
        name: of the model; without it what it comes from.

    Raises:
        NoLiveModel: there is none yet.
        CannotTrain: there are too few labelled images, or no label has one in each split.
        LimitReached
    """
    status = status_of(project)
    never = why_never(project)
    if status.state is None or never:
        raise NoLiveModel(NOT_YET[never] if never else status.detail)
    dataset = dataset or _most_labelled(project)
    images = 0 if dataset is None else _labelled(dataset)
    wanted: dict[str, Any] = {
        "project": project,
        "dataset": dataset,
        "name": name or f"Live model of {counted(images, 'labelled image')}",
        **_as_the_live_model(embedder_for(project)),
    }
    large = dataset_to_freeze(**wanted)
    if large is not None:
        return Kept(job=start_from_dataset(what=StartTrainingParameters, dataset=large, user=user, arguments=wanted))
    try:
        return Kept(start_training(user=user, **wanted))
    except CannotTrain as error:
        if error.code == "empty_split":  # who keeps a live model has seen no snapshot
            raise CannotTrain(TOO_FEW, code=error.code) from error
        raise


def _most_labelled(project: Project) -> Dataset | None:
    """None where no image is labelled."""
    rows = Image.objects.filter(is_labelled(), dataset__project=project).order_by()
    most = rows.values("dataset").annotate(images=Count("pk")).order_by("-images", "dataset").first()
    return None if most is None else Dataset.objects.filter(pk=most["dataset"]).first()


def _labelled(dataset: Dataset) -> int:
    """Images that the snapshot will have labels of: more than the live model has learned from since the last label."""
    return Image.objects.filter(is_labelled(), dataset=dataset).count()


def _as_the_live_model(embedder: ProjectEmbedder) -> dict[str, Any]:
    """The network and the settings of a training that gives what the live model is."""
    if embedder.model is not None:
        return {"configuration": SETTINGS, "base_model": embedder.model}
    network = {"architecture": embedder.architecture, "weights": "imagenet", "image_size": embedder.image_size}
    return {"configuration": SETTINGS | network}
