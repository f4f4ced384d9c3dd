"""Two requests at the same moment: one of them may be told that it came too late; none breaks, and counts stay true."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, connections

from datasets.models import Annotation, Dataset, Image, Label
from datasets.moving import move_images
from datasets.removal import delete_dataset, delete_images
from mlstudio.counts import correct_counts
from projects.models import Project
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture
def images(api, dataset) -> list[dict]:
    return upload(api, dataset, [(f"{number}.jpg", jpeg(number)) for number in range(4)])["created"]


def counts(dataset_id) -> tuple[int, int, int]:
    """Kept by the dataset, kept by the project, really there."""
    dataset = Dataset.objects.select_related("project").get(pk=dataset_id)
    real = Image.objects.filter(dataset=dataset).count()
    return dataset.image_count, dataset.project.image_count, real


def at_once(*calls) -> list[int]:
    """The statuses of requests that begin together."""
    barrier = threading.Barrier(len(calls))

    def run(call) -> int:
        barrier.wait(10)
        try:
            return call().status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class TestCounts:
    def test_an_image_deleted_twice_is_counted_once(self, images, dataset):
        stale = list(Image.objects.select_related("dataset"))
        assert delete_images(images=stale[:1]) == 1
        assert delete_images(images=stale[:2]) == 1
        assert counts(dataset["id"]) == (2, 2, 2)

    def test_the_second_of_two_deletions_finds_nothing(self, api, images, dataset, monkeypatch):
        address = f"/api/v1/images/{images[0]['id']}/"
        from datasets.views import images as views

        def faster(images):
            delete_images(images=images)  # by somebody else, after this request has found the image
            return delete_images(images=images)

        monkeypatch.setattr(views, "delete_images", faster)
        assert api.delete(address).status_code == 404
        assert counts(dataset["id"]) == (3, 3, 3)

    def test_images_moved_twice_are_counted_once(self, api, images, dataset, project):
        other = Dataset.objects.create(project=project, name="other")
        stale = list(Image.objects.select_related("dataset"))
        assert move_images(images=stale[:2], target=other) == {"changed": 2, "unchanged": 0}
        assert move_images(images=stale[:3], target=other) == {"changed": 1, "unchanged": 2}
        assert counts(dataset["id"]) == (1, 4, 1) and counts(other.pk) == (3, 4, 3)

    def test_the_same_image_of_two_datasets_is_moved_once(self, api, images, dataset, project):
        second, target = (Dataset.objects.create(project=project, name=name) for name in ("second", "target"))
        upload(api, {"id": str(second.pk)}, [("0.jpg", jpeg(0))])
        result = move_images(images=list(Image.objects.select_related("dataset")), target=target)
        assert result == {"changed": 4, "unchanged": 1}
        assert counts(target.pk) == (4, 5, 4) and counts(dataset["id"])[0] + counts(second.pk)[0] == 1

    def test_a_dataset_deleted_with_an_old_count_takes_the_true_one_along(self, api, images, dataset, project):
        stale = Dataset.objects.get(pk=dataset["id"])
        delete_images(images=list(Image.objects.select_related("dataset")[:1]))
        delete_dataset(dataset=stale)
        project.refresh_from_db()
        assert (project.image_count, project.dataset_count) == (0, 0)

    def test_a_count_that_is_too_low_keeps_nobody_from_deleting(self, api, images, dataset, project):
        Dataset.objects.update(image_count=1)
        Project.objects.update(image_count=1)
        bulk = {"action": "delete", "images": [one["id"] for one in images[:3]]}
        assert api.post("/api/v1/images/bulk/", bulk).json() == {"changed": 3, "unchanged": 0}
        assert api.delete(f"/api/v1/images/{images[3]['id']}/").status_code == 204

    def test_what_has_drifted_is_right_an_hour_later(self, images, dataset, labels, project):
        Dataset.objects.update(image_count=77)
        Project.objects.update(image_count=0, label_count=9, dataset_count=9, model_count=9)
        assert correct_counts() == 5
        project.refresh_from_db()
        assert counts(dataset["id"]) == (4, 4, 4)
        assert (project.label_count, project.dataset_count, project.model_count) == (2, 1, 0)
        assert correct_counts() == 0

    def test_many_at_once(self, owner, images, dataset):
        addresses = [f"/api/v1/images/{images[0]['id']}/"] * 4
        answers = at_once(*[lambda path=path: client_of(owner).delete(path) for path in addresses])
        assert sorted(answers) == [204, 404, 404, 404] and counts(dataset["id"]) == (3, 3, 3)
        bulk = {"action": "delete", "images": [one["id"] for one in images[1:3]]}
        answers = at_once(*[lambda: client_of(owner).post("/api/v1/images/bulk/", bulk)] * 4)
        assert set(answers) <= {200, 404} and counts(dataset["id"]) == (1, 1, 1)


class TestLabels:
    @pytest.fixture
    def vanishing(self, monkeypatch, labels):
        """The label is deleted right after a request has looked it up."""
        from datasets.views import annotations, bulk
        from datasets.views.labels import label_or_400

        def found(project, text):
            label = label_or_400(project, text)
            Label.objects.filter(pk=label.pk).delete()
            return label

        for views in (annotations, bulk):
            monkeypatch.setattr(views, "label_or_400", found)
        return labels["good"]

    def test_annotating_with_a_label_that_goes(self, api, images, vanishing):
        answer = api.put(f"/api/v1/images/{images[0]['id']}/annotations/", [{"label": "good"}])
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "label_deleted")
        assert Image.objects.get(pk=images[0]["id"]).revision == 0

    def test_labelling_many_with_a_label_that_goes(self, api, images, vanishing):
        body = {"action": "label", "label": "good", "images": [images[0]["id"]]}
        answer = api.post("/api/v1/images/bulk/", body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "label_deleted")

    def test_correcting_to_a_label_that_goes(self, api, images, project, labels, monkeypatch):
        kept = Annotation.objects.create(
            image_id=images[0]["id"], label_id=labels["bad"]["id"], confirmed=False, origin="model"
        )
        from datasets.views import annotations as views
        from datasets.views.labels import label_or_400

        def found(project, text):
            label = label_or_400(project, text)
            Label.objects.filter(pk=label.pk).delete()
            return label

        monkeypatch.setattr(views, "label_or_400", found)
        answer = api.post("/api/v1/annotations/review/", {"correct": [{"id": str(kept.pk), "label": "good"}]})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "label_deleted")

    def test_a_label_that_goes_later_still(self, api, images, labels, monkeypatch):
        """Between the look inside the transaction and its end."""
        from datasets import annotating

        def require(pks):
            Label.objects.filter(pk__in=list(pks)).delete()

        monkeypatch.setattr(annotating, "require_labels", require)
        answer = api.put(f"/api/v1/images/{images[0]['id']}/annotations/", [{"label": "good"}])
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "changed_meanwhile")

    @pytest.mark.parametrize("how", ["merge", "delete"])
    def test_a_label_merged_or_deleted_twice(self, api, project, labels, monkeypatch, how):
        from datasets import label_removal

        lock = label_removal._lock_labels
        base = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/"

        def slower(*wanted):
            Label.objects.filter(pk=labels["good"]["id"]).delete()
            lock(*wanted)

        monkeypatch.setattr(label_removal, "_lock_labels", slower)
        answer = api.post(f"{base}merge/", {"into": labels["bad"]["id"]}) if how == "merge" else api.delete(base)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "label_deleted")

    def test_annotating_while_labels_are_merged(self, owner, project, images, labels):
        merge = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/merge/"
        calls = [lambda: client_of(owner).post(merge, {"into": labels["bad"]["id"]})]
        for image in images:
            address = f"/api/v1/images/{image['id']}/annotations/"
            calls.append(lambda address=address: client_of(owner).put(address, [{"label": labels["good"]["id"]}]))
        assert set(at_once(*calls)) <= {200, 400, 409, 503}
        assert not Annotation.objects.filter(label=labels["good"]["id"]).exists()


def test_labelling_an_image_that_goes(api, images, labels, monkeypatch):
    from datasets.views.bulk import ImageBulkView

    chosen = ImageBulkView._chosen

    def found(self, ids):
        rows = chosen(self, ids)
        Image.objects.filter(pk=rows[0].pk).delete()
        return rows

    monkeypatch.setattr(ImageBulkView, "_chosen", found)
    body = {"action": "label", "label": "good", "images": [one["id"] for one in images[:2]]}
    answer = api.post("/api/v1/images/bulk/", body)
    assert answer.status_code == 200 and answer.json() == {"changed": 1, "unchanged": 1}


def test_a_dataset_that_goes_under_an_upload(api, dataset, monkeypatch):
    from datasets.views import datasets as views

    add = views.add_images

    def later(**options):
        Dataset.objects.filter(pk=options["dataset"].pk).delete()
        return add(**options)

    monkeypatch.setattr(views, "add_images", later)
    from django.core.files.uploadedfile import SimpleUploadedFile

    files = {"files": [SimpleUploadedFile("a.jpg", jpeg(1))]}
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", files, format="multipart")
    assert answer.status_code == 404 and connection.connection is not None
