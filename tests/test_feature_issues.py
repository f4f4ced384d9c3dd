"""Doubtful labels and outliers without a model, over HTTP; and the methods behind them."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.models import Annotation, Image, Label
from inference.models import LabelIssue
from jobs import services as jobs
from projects.services import create_project
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.test_feature_map import clusters
from tests.test_live_model import folders, keeper, work  # noqa: F401 - fixtures
from vision.analysis.out_of_fold import out_of_fold_probabilities
from vision.analysis.outliers import find_outliers

pytestmark = pytest.mark.any_database("features of images")
SUSPECTS = "/api/v1/suspects/"


class TestOutOfFold:
    def test_a_wrong_label_is_not_believed_and_a_near_duplicate_does_not_hide_it(self):
        vectors, truth = clusters(90)
        vectors[1] = vectors[0]  # the same image twice
        labels = truth.copy()
        labels[:2] = (truth[0] + 1) % 3  # and both with the same wrong label
        groups = np.arange(90)
        mean, deviation = vectors.astype(np.float32).mean(axis=0), vectors.astype(np.float32).std(axis=0)
        groups[1] = 0
        found = out_of_fold_probabilities(vectors, np.arange(90), labels, 3, mean, deviation, groups)
        assert found.shape == (90, 3) and np.allclose(found.sum(axis=1), 1, atol=1e-4)
        assert (found[:2].argmax(axis=1) == truth[0]).all()
        right = found.argmax(axis=1) == truth
        assert right[2:].mean() > 0.95

    @pytest.mark.parametrize("labels", [[0, 1], [0, 0, 0]])
    def test_too_few_images_have_no_probabilities(self, labels):
        count = len(labels)
        vectors = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float16)
        found = out_of_fold_probabilities(
            vectors, np.arange(count), np.array(labels), 2, np.zeros(4), np.ones(4), np.arange(count)
        )
        assert not found.any()


class TestOutliers:
    def test_an_image_far_from_its_label_is_one_and_far_labels_are_none(self):
        generator = np.random.default_rng(1)
        points = generator.normal(size=(80, 5)).astype(np.float32)
        points[40:] += 50  # another label, far away, whose images are near each other
        points[3] += 30
        labels = np.repeat([0, 1], 40)
        found = find_outliers(points, labels)
        # A tail of the others may be called so, too; half of them are as near as is usual.
        assert found.is_outlier[3] and found.score.argmax() == 3 and found.is_outlier.sum() < 4
        assert found.ratio[3] > 5 and 0.5 < np.median(found.ratio) < 1.5

    def test_those_without_a_label_are_compared_with_all(self):
        points = np.random.default_rng(2).normal(size=(60, 5)).astype(np.float32)
        labels = np.repeat([0, -1], [40, 20])
        points[50] += 30
        found = find_outliers(points, labels)
        assert found.is_outlier[50] and found.score.argmax() == 50

    def test_labels_with_few_images_and_equal_images_have_none(self):
        few = np.random.default_rng(3).normal(size=(8, 3)).astype(np.float32)
        assert not find_outliers(few, np.zeros(8, int)).is_outlier.any()
        assert not find_outliers(np.ones((30, 3), np.float32), np.zeros(30, int)).is_outlier.any()


def search(api, dataset) -> dict:
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/suspects/", {})
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    return api.get(answer["Location"]).json()


def listed(api, **query) -> list[dict]:
    answer = api.get(SUSPECTS, query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


@pytest.mark.django_db
class TestOverHttp:
    def test_swapped_labels_and_foreign_images_are_found_and_decided(self, api, project, dataset, classifier, keeper):  # noqa: F811
        cross = Label.objects.get(name="cross")
        swapped = list(Annotation.objects.filter(label__name="disc").order_by("id")[:5])
        Annotation.objects.filter(pk__in=[row.pk for row in swapped]).update(label=cross)
        (foreign,) = upload(api, dataset, [("foreign.jpg", jpeg(1))], label="disc")["created"]
        work()
        job = search(api, dataset)
        assert (job["kind"], job["state"], job["result"]["model"]) == ("suspects", "succeeded", None)
        rows = listed(api, dataset=dataset["id"], by_features="true", kind="label", is_issue="true")
        assert {str(row.image_id) for row in swapped} <= {row["image"]["id"] for row in rows}
        first = next(row for row in rows if row["image"]["id"] == str(swapped[0].image_id))
        assert (first["model"], first["label"], first["suggested"]) == (None, "cross", "disc")
        outliers = listed(api, dataset=dataset["id"], by_features="true", kind="outlier")
        assert len(outliers) > 0 and all(row["suggested_score"] is None for row in outliers)
        assert foreign["id"] in [row["image"]["id"] for row in outliers]
        assert job["result"]["images"] == 121 and job["result"]["probably_wrong"] == len(rows)

        (summary,) = api.get(f"{SUSPECTS}searches/?project={project.pk}").json()
        assert (summary["model"], summary["model_name"], summary["total"]) == (None, None, 121)
        assert summary["outliers"] == job["result"]["outliers"] and summary["issues"] == len(rows)

        # What was decided outlives the next search; what got another label is no longer open.
        api.patch(f"{SUSPECTS}{outliers[0]['id']}/", {"decision": "kept"})
        body = {"action": "label", "images": [str(swapped[0].image_id)], "label": "disc"}
        assert api.post("/api/v1/images/bulk/", body).json()["changed"] == 1
        search(api, dataset)
        still = listed(api, dataset=dataset["id"], by_features="true", open="true", page_size=500)
        assert (outliers[0]["image"]["id"], "outlier") not in {(row["image"]["id"], row["kind"]) for row in still}
        wrong = {row["image"]["id"] for row in still if row["is_issue"] and row["kind"] == "label"}
        assert str(swapped[0].image_id) not in wrong

    def test_unlabelled_outliers_are_open_until_they_have_a_label(self, api, project, dataset, labels):
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
        row = LabelIssue.objects.create(
            dataset_id=dataset["id"], image_id=image["id"], kind="outlier", rank=1, quality=0.4, is_issue=True
        )
        assert [one["id"] for one in listed(api, open="true")] == [str(row.pk)]
        api.post("/api/v1/images/bulk/", {"action": "label", "images": [image["id"]], "label": "good"})
        assert listed(api, open="true") == []

    def test_without_features_it_says_what_to_do(self, api, dataset, classifier):
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/suspects/", {})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "too_few_features")

    def test_without_an_embedder_too(self, api, dataset):
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/suspects/", {})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "no_embedder")

    def test_who_may_search_and_see(self, api, project, dataset, viewer, outsider, client):
        where = f"/api/v1/datasets/{dataset['id']}/suspects/"
        assert client_of(viewer).post(where, {}).status_code == 403
        assert client_of(outsider).post(where, {}).status_code == 404
        assert client.post(where, {}).status_code == 401
        assert api.get(where).status_code == 405
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
        LabelIssue.objects.create(
            dataset_id=dataset["id"], image_id=image["id"], kind="outlier", rank=1, quality=0.4, is_issue=True
        )
        assert len(listed(client_of(viewer), by_features="true")) == 1
        assert listed(client_of(outsider), by_features="true") == []
        assert listed(api, by_features="false") == []

    def test_a_dataset_that_is_gone_ends_the_job(self, api, owner):
        foreign = create_project(user=owner, name="x", task="classification")
        made = api.post("/api/v1/datasets/", {"project": str(foreign.pk), "name": "y"}).json()
        assert Image.objects.filter(dataset=made["id"]).count() == 0
        assert api.post("/api/v1/datasets/01a22140-d0ef-73dd-a94e-1bf92535dd4b/suspects/", {}).status_code == 404
