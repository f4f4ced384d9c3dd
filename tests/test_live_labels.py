"""The live model where an image has none to many labels: what it learns, guesses, and asks for."""

# ruff: noqa: F401, F811

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from datasets.models import Annotation, Image
from inference.live_model.files import read_guesses
from inference.live_model.label_sets import LabelSets
from inference.registry.registration import register_model
from projects.services import create_project
from tests.conftest import upload
from tests.pictures import shape_jpeg
from tests.test_live_model import folders, guesses, keeper, names, status, work
from vision.analysis import live_labels
from vision.analysis.label_folds import label_folds
from vision.analysis.live_labels import calibrated, fit_labels, held_out_labels
from vision.analysis.selection import decision_uncertainty

API = "/api/v1"


def several(count: int, labels: int = 3, width: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images whose features are the sum of what each of their labels shows."""
    generator = np.random.default_rng(seed)
    places = np.random.default_rng(99).normal(0, 2, (labels, width))
    truth = generator.random((count, labels)) < 0.4
    return (truth @ places + generator.normal(0, 1, (count, width))).astype(np.float32), truth


class TestHead:
    @pytest.mark.parametrize("count", [12, 90])  # fewer images than features, and more
    def test_each_label_is_the_logistic_regression_of_scikit_learn(self, monkeypatch, count):
        monkeypatch.setattr(live_labels, "TOLERANCE", 1e-6)
        features, truth = several(count)
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        other = several(50, seed=1)[0]
        said = fit_labels(features, truth, mean, deviation).probabilities(other)
        for label in range(3):
            theirs = LogisticRegression(C=live_labels.REGULARISATION, max_iter=3000, tol=1e-8)
            theirs.fit((features - mean) / deviation, truth[:, label])
            expected = theirs.predict_proba((other - mean) / deviation)[:, 1]
            np.testing.assert_allclose(said[:, label], expected, atol=3e-3)

    def test_images_that_it_has_not_seen_choose_thresholds_and_temperature(self):
        features, truth = several(200)
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        tried = held_out_labels(features, truth, mean, deviation)
        assert tried.images == 200 and tried.right > 150
        assert list(tried.images_by_label) == truth.sum(axis=0).tolist()
        assert all(right <= count for right, count in zip(tried.right_by_label, tried.images_by_label, strict=True))
        head = calibrated(fit_labels(features, truth, mean, deviation), tried)
        fresh, expected = several(400, seed=2)
        chances = head.probabilities(fresh)
        is_present = chances >= head.thresholds
        right = (is_present == expected).all(axis=1)
        sure = head.confidence(chances)
        assert right.mean() > 0.8 and right[sure >= 0.9].mean() > 0.9

    def test_a_difficult_label_beside_easy_ones_makes_it_less_sure_of_all(self):
        features, truth = several(400, labels=4)
        truth[:, 3] ^= np.random.default_rng(5).random(400) < 0.35
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        tried = held_out_labels(features[:200], truth[:200], mean, deviation)
        head = calibrated(fit_labels(features[:200], truth[:200], mean, deviation), tried)
        chances = head.probabilities(features[200:])
        right = ((chances >= head.thresholds) == truth[200:]).all(axis=1)
        assert abs(head.confidence(chances).mean() - right.mean()) < 0.1

    def test_a_label_that_every_image_has_harms_nothing(self):
        features, truth = several(30)
        truth[:, 0] = True
        chances = fit_labels(features, truth, features.mean(axis=0), features.std(axis=0)).probabilities(features)
        assert np.isfinite(chances).all() and (chances[:, 0] > 0.5).all()

    def test_too_few_images_are_held_out_for_nothing(self):
        features, truth = several(1)
        assert held_out_labels(features, truth, features[0], np.ones(40)) is None

    def test_folds_have_their_share_of_each_label_and_keep_groups_together(self):
        generator = np.random.default_rng(0)
        truth = generator.random((100, 3)) < [0.5, 0.2, 0.05]
        groups = np.repeat(np.arange(50), 2)
        folds = label_folds(truth, groups, 5)
        assert (folds[::2] == folds[1::2]).all() and set(folds) == set(range(5))
        for label in range(3):
            counts = np.bincount(folds[truth[:, label]], minlength=5)
            assert counts.max() - counts.min() <= 3
        assert set(label_folds(truth[:2], np.zeros(2), 5)) == {0}


def test_the_most_doubtful_label_says_how_unsure_it_is():
    chances = np.array([[0.99, 0.5], [0.99, 0.01], [0.6, 0.2]])
    doubt = decision_uncertainty(chances, np.array([0.5, 0.5]))
    np.testing.assert_allclose(doubt, [1.0, 0.02, 0.8])


class TestLabelSets:
    def test_rows_are_found_counted_and_reordered(self):
        chances = np.array([[0.9, 0.2, 0.95], [0.1, 0.2, 0.1], [0.1, 0.7, 0.1]], np.float32)
        sets = LabelSets.of(chances, chances >= 0.5)
        assert [[place for place, _ in sets.at(row)] for row in range(3)] == [[2, 0], [], [1]]
        assert sets.count(3) == [1, 1, 1] and sets.fits(3, 3)
        assert sets.have(np.array([True, False, False])).tolist() == [True, False, False]
        turned = sets.take(np.array([2, 1, 0]))
        assert [turned.at(row) for row in range(3)] == [sets.at(row) for row in (2, 1, 0)]

    @pytest.mark.parametrize(
        ("starts", "labels", "chances"),
        [([0, 1], [0], [0.5]), ([0, 2, 1], [0], [0.5]), ([0, 0, 1], [3], [0.5]), ([0, 0, 1], [0], [0.5, 0.5])],
    )
    def test_what_fits_nothing_is_seen(self, starts, labels, chances):
        sets = LabelSets(np.array(starts, np.uint32), np.array(labels, np.uint16), np.array(chances, np.float32))
        assert not sets.fits(2, 3)


numbers = itertools.count(9000)


@pytest.fixture
def shapes(api, owner, classifier_files) -> dict:
    """Crosses have two labels, discs none. 24 images are labelled, 16 are not."""
    project = create_project(user=owner, name="shapes", task="multilabel")
    register_model(
        project=project,
        name="Features",
        class_names=["cross", "disc"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files=classifier_files,
        user=owner,
        label_thresholds=[0.5, 0.5],
    )
    dataset = api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "d"}).json()
    files = [(f"{kind}{n}.jpg", shape_jpeg(next(numbers), kind)) for n in range(20) for kind in ("cross", "disc")]
    images = upload(api, dataset, files)["created"]
    labels = [api.post(f"{API}/projects/{project.pk}/labels/", {"name": n}).json()["id"] for n in ("lines", "sharp")]
    return {"project": project, "dataset": dataset, "labels": labels, "images": [row["id"] for row in images]}


def give(api, images: list[str], labels: list[str]) -> None:
    answer = api.post(f"{API}/images/bulk/", {"action": "set_labels", "images": images, "labels": labels})
    assert answer.status_code == 200, answer.content


@pytest.mark.django_db
class TestGuesses:
    def test_it_learns_also_from_images_without_labels_and_guesses_sets(self, api, shapes, keeper):
        project, images = shapes["project"], shapes["images"]
        work()
        assert status(api, project)["code"] == "too_few_images"
        first = api.get(f"{API}/projects/{project.pk}/live-model/next/").json()
        assert len(first) == 40
        give(api, images[0:24:2], shapes["labels"])
        work()
        assert status(api, project)["code"] == "too_few_images"  # all have the same labels
        give(api, images[1:24:2], [])
        work()
        now = status(api, project)
        assert (now["code"], now["labelled"], now["guesses"], now["held_out"]) == ("", 24, 16, 24)
        assert now["accuracy"] > 0.8 and [row["images"] for row in now["labels"]] == [12, 12]
        page = guesses(api, project)
        named = names(api, project)
        for row in page["results"]:
            is_cross = row["image"]["filename"].startswith("cross")
            assert {named[label["label"]] for label in row["labels"]} == ({"lines", "sharp"} if is_cross else set())
            assert 0 < row["confidence"] <= 1
        assert guesses(api, project, label=shapes["labels"][0])["count"] == 8
        assert guesses(api, project, is_empty="true")["count"] == now["empty"] == 8
        assert len(api.get(f"{API}/projects/{project.pk}/live-model/next/").json()) == 16

        chosen = page["results"][0]
        give(api, [chosen["image"]["id"]], [label["label"] for label in chosen["labels"]])
        assert chosen["image"]["id"] not in {row["image"]["id"] for row in guesses(api, project)["results"]}
        work()
        assert status(api, project)["labelled"] == 25

    def test_what_waits_for_a_look_teaches_nothing(self, api, shapes, keeper):
        give(api, shapes["images"][0:24:2], shapes["labels"])
        give(api, shapes["images"][1:24:2], [])
        image = Image.objects.get(pk=shapes["images"][30])
        for label, confirmed in zip(shapes["labels"], (True, False), strict=True):
            Annotation.objects.create(image=image, label_id=label, origin="model", score=0.9, confirmed=confirmed)
        Image.objects.filter(pk=image.pk).update(reviewed=False, suggestion_count=1, annotation_count=2)
        work()
        now = status(api, shapes["project"])
        assert (now["labelled"], now["guesses"]) == (24, 15)

    def test_a_label_that_was_deleted_takes_its_guesses(self, api, shapes, keeper):
        project = shapes["project"]
        give(api, shapes["images"][0:24:2], shapes["labels"])
        give(api, shapes["images"][1:24:2], [])
        work()
        api.delete(f"{API}/projects/{project.pk}/labels/{shapes['labels'][0]}/?images=unlabel")
        assert all(not row["labels"] for row in guesses(api, project)["results"])

    def test_a_damaged_file_is_as_good_as_none(self, api, shapes, keeper):
        give(api, shapes["images"][0:24:2], shapes["labels"])
        give(api, shapes["images"][1:24:2], [])
        work()
        from inference.live_model.files import _path

        path = _path(shapes["project"])
        with np.load(path) as content:
            columns = dict(content)
        columns["several_starts"] = columns["several_starts"][:-1]
        np.savez(path, **columns)
        assert read_guesses(shapes["project"]) is None

    def test_it_is_kept_as_a_model(self, api, shapes, keeper):
        give(api, shapes["images"][0:24:2], shapes["labels"])
        give(api, shapes["images"][1:24:2], [])
        work()
        answer = api.post(f"{API}/projects/{shapes['project'].pk}/live-model/keep/")
        assert answer.status_code == 201, answer.content
        run = answer.json()
        assert run["configuration"]["head_solver"] == "lbfgs" and run["base_model"]

    def test_a_network_for_one_label_an_image_can_be_its_base(self, api, shapes, keeper):
        give(api, shapes["images"][0:24:2], shapes["labels"])
        give(api, shapes["images"][1:24:2], [])
        base = shapes["project"].models.get()
        base.task = "classification"
        base.save(update_fields=["task"])
        answer = api.post(f"{API}/trainings/", {"project": str(shapes["project"].pk), "base_model": str(base.pk)})
        assert answer.status_code == 201, answer.content
        assert answer.json()["configuration"]["weights"] == "base"
