"""Labels that are wrong or missing where an image has none to many of them."""

# ruff: noqa: F401, F811

from __future__ import annotations

import numpy as np
import pytest

from datasets.models import Annotation, Image
from inference.models import LabelIssue
from jobs import services as jobs
from tests.test_live_labels import give, several, shapes
from tests.test_live_model import folders, keeper, work
from vision.analysis.label_doubts import find_label_doubts, out_of_fold_labels

API = "/api/v1"


class TestDoubts:
    def test_exchanged_labels_are_doubted_first(self):
        features, truth = several(300)
        generator = np.random.default_rng(1)
        given, wrong = truth.copy(), generator.choice(900, 20, replace=False)
        given.ravel()[wrong] ^= True
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        every = np.arange(300)
        probabilities = out_of_fold_labels(features, every, given, mean, deviation, every)
        doubts = find_label_doubts(probabilities, given)
        found = set((doubts.images * 3 + doubts.labels)[:20].tolist())
        assert len(found & set(wrong.tolist())) >= 16
        assert doubts.is_issue[:10].all() and (np.diff(doubts.quality) >= 0).all()
        assert 300 <= len(doubts.images) <= 330

    def test_of_a_label_that_few_images_have_nothing_is_said(self):
        truth = np.zeros((40, 2), bool)
        truth[:20, 0], truth[:3, 1] = True, True
        doubts = find_label_doubts(np.full(truth.shape, 0.4, np.float32), truth)
        assert set(doubts.labels.tolist()) == {0}
        nothing = find_label_doubts(np.full(truth.shape, np.nan, np.float32), truth)
        assert not len(nothing.images)

    def test_images_of_one_group_are_held_out_together(self):
        features, truth = several(60)
        twins = np.concatenate([features, features]), np.concatenate([truth, ~truth])
        groups = np.tile(np.arange(60), 2)
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        said = out_of_fold_labels(twins[0], np.arange(120), twins[1], mean, deviation, groups)
        # Learned from the one, the other would have its label.
        assert np.isfinite(said).all() and np.allclose(said[:60], said[60:], atol=1e-5)


@pytest.fixture
def labelled(api, shapes, keeper) -> dict:
    """Crosses have both labels, discs none, but for one of each."""
    give(api, shapes["images"][0::2], shapes["labels"])
    give(api, shapes["images"][1::2], [])
    give(api, shapes["images"][:1], [])
    give(api, shapes["images"][1:2], shapes["labels"][:1])
    work()
    return shapes


def listed(api, shapes: dict, **query) -> list[dict]:
    query = {"dataset": shapes["dataset"]["id"], "open": "true", "is_issue": "true", **query}
    return api.get(f"{API}/suspects/", query).json()["results"]


@pytest.mark.django_db
class TestSearch:
    def test_wrong_and_missing_labels_are_listed_until_they_are_put_right(self, api, labelled):
        job = api.post(f"{API}/datasets/{labelled['dataset']['id']}/suspects/")
        jobs.run_job(job.json()["id"])
        (wrong,) = listed(api, labelled, kind="wrong")
        missing = listed(api, labelled, kind="missing")
        assert wrong["label"] == "lines" and wrong["image"]["id"] == labelled["images"][1]
        assert {row["suggested"] for row in missing} == {"lines", "sharp"}
        assert {row["image"]["id"] for row in missing} == {labelled["images"][0]}
        (search,) = api.get(f"{API}/suspects/searches/", {"project": str(labelled["project"].pk)}).json()
        assert (search["model"], search["issues"]) == (None, 3)
        remove = {"action": "remove_label", "label": "lines", "images": [labelled["images"][1]]}
        assert api.post(f"{API}/images/bulk/", remove).json()["changed"] == 1
        assert listed(api, labelled, kind="wrong") == []
        give(api, labelled["images"][:1], labelled["labels"][:1])
        assert [row["suggested"] for row in listed(api, labelled, kind="missing")] == ["sharp"]
        api.post(f"{API}/images/bulk/", {"action": "unlabel", "images": labelled["images"][:1]})
        assert listed(api, labelled, kind="missing") == []

    def test_a_model_looks_for_them(self, api, labelled):
        model = labelled["project"].models.get()
        job = api.post(f"{API}/models/{model.pk}/suspects/", {"dataset": labelled["dataset"]["id"]})
        assert job.status_code == 202, job.content
        jobs.run_job(job.json()["id"])
        result = api.get(f"{API}/jobs/{job.json()['id']}/").json()["result"]
        assert (result["images"], result["probably_wrong"]) == (40, 3)
        rows = LabelIssue.objects.filter(model=model, is_issue=True)
        assert sorted(rows.values_list("kind", "label", "suggested")) == [
            ("missing", "", "lines"),
            ("missing", "", "sharp"),
            ("wrong", "lines", ""),
        ]
