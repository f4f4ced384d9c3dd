"""Comparisons of models look at each image once, and at none that one of the models was not measured on."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation.comparisons import _Labels, common_keys
from inference.models import Evaluation, Model
from tests.conftest import upload
from tests.pictures import jpeg
from tests.test_evaluation_images import NAMES, evaluation_of
from vision.analysis.predictions import ClassifierPredictions


class Counted(list):
    """A list that knows how often it was read from end to end."""

    reads = 0

    def __iter__(self):
        self.reads += 1
        return super().__iter__()


def test_the_keys_of_a_model_are_read_a_fixed_number_of_times():
    first, second = Counted(f"{n}" for n in range(300)), Counted(f"{n}" for n in range(100, 400))
    keys = common_keys([first, second])
    assert keys == [f"{n}" for n in range(100, 300)]
    found = [
        ClassifierPredictions(keys_, np.zeros(300, int), np.tile(np.float32([0.6, 0.4]), (300, 1)), ["a", "b"])
        for keys_ in (first, second)
    ]
    labels = _Labels([], found, keys)
    assert labels.figures(0)["accuracy"] == 1.0 and max(first.reads, second.reads) <= 3


@pytest.mark.django_db
def test_models_without_a_common_image_are_not_as_good_as_each_other(api, project, dataset, labels, tmp_path):
    upload(api, dataset, [("a.jpg", jpeg(1))], label="good")
    snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"]
    ids = []
    for version, key in ((2, "a"), (3, "b")):
        outcomes = ClassifierPredictions([key], np.zeros(1, int), np.float32([[0.6, 0.4]]), NAMES)
        evaluation = evaluation_of(project, tmp_path, outcomes, {"count": 1})
        Evaluation.objects.filter(pk=evaluation.pk).update(snapshot=snapshot)
        Model.objects.filter(pk=evaluation.model_id).update(version=version)
        ids.append(str(evaluation.model_id))
    answer = api.get(f"/api/v1/models/compare/?ids={','.join(ids)}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "nothing_to_compare")
