"""Deleting large datasets, and labels with their images: gone at once, and nobody else has to wait."""

from __future__ import annotations

import pytest

from datasets import label_removal
from datasets import removal as dataset_removal
from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label, Snapshot, SnapshotImage, Video
from datasets.snapshots import take_snapshot
from edge.models import DeviceGroup
from jobs import services as jobs
from jobs.models import Job, WorkState
from mlstudio.counts import correct_counts
from projects import removal
from projects.models import Project
from tests.conftest import upload
from tests.pictures import jpeg, make_zip
from tests.test_imports import start
from training.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_trash")]
COUNT = 7


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    """What the workers were told; more than five images are many here."""
    sent: list[str] = []
    monkeypatch.setattr(dataset_removal, "MOST_AT_ONCE", 5)
    monkeypatch.setattr("jobs.messages.send", lambda task, queue: sent.append(task))
    return sent


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(COUNT)], label="good")["created"]


@pytest.fixture
def snapshots(api, dataset, images) -> list[dict]:
    path = f"/api/v1/datasets/{dataset['id']}/snapshots/"
    return [api.post(path, {"seed": seed}).json() for seed in range(2)]


def path_of(dataset: dict) -> str:
    return f"/api/v1/datasets/{dataset['id']}/"


def train_on(snapshot: dict, project, owner) -> TrainingRun:
    return TrainingRun.objects.create(
        project=project, snapshot_id=snapshot["id"], created_by=owner, configuration={}, state=WorkState.SUCCEEDED
    )


def counts(project) -> tuple[int, int]:
    return Project.objects.values_list("dataset_count", "image_count").get(pk=project.pk)


def test_a_large_one_disappears_at_once_and_goes_in_the_background(
    api, project, dataset, images, snapshots, messages, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(path_of(dataset)).status_code == 204
    assert messages == [removal.TASK] and Image.objects.count() == COUNT
    assert counts(project) == (0, 0) and correct_counts() == 0
    for path in ("datasets/", "images/", "videos/", "snapshots/", "suggestions/", "suspects/"):
        answer = api.get(f"/api/v1/{path}")
        assert answer.status_code in (200, 404) and not answer.json().get("results"), path
    for path in (path_of(dataset), f"/api/v1/images/{images[0]['id']}/", f"/api/v1/snapshots/{snapshots[0]['id']}/"):
        assert api.get(path).status_code == 404
    assert api.delete(path_of(dataset)).status_code == 404
    assert [one["id"] for one in api.get("/api/v1/projects/").json()["results"]] == [str(project.pk)]
    assert removal.remove_projects() == 1 and removal.remove_projects() == 0
    for model in (Dataset, Image, Annotation, AnnotationChange, Snapshot, SnapshotImage, Video):
        assert not model.objects.exists(), model
    assert list(Project.objects.values_list("pk", flat=True)) == [project.pk] and Label.objects.count() == 2


def test_what_was_trained_on_stays_as_a_record(api, project, dataset, snapshots, owner, messages):
    run = train_on(snapshots[0], project, owner)
    group = DeviceGroup.objects.create(project=project, name="Line 3", feedback_dataset_id=dataset["id"])
    assert api.delete(f"{path_of(dataset)}?force=true").status_code == 204
    for _ in range(2):  # at once, and when all is done
        record = api.get(f"/api/v1/snapshots/{snapshots[0]['id']}/").json()
        assert (record["dataset"], record["dataset_name"], record["has_images"]) == (None, "photos", False)
        assert api.get(f"/api/v1/trainings/{run.pk}/").status_code == 200
        group.refresh_from_db()
        assert group.feedback_dataset is None
        removal.remove_projects()
    assert Snapshot.objects.count() == 1 and not SnapshotImage.objects.exists() and not Image.objects.exists()


def test_few_images_in_many_snapshots_are_many_rows(api, dataset, snapshots, monkeypatch):
    monkeypatch.setattr(dataset_removal, "MOST_FROZEN", 2 * COUNT - 1)
    assert api.delete(path_of(dataset)).status_code == 204
    assert Image.objects.count() == COUNT and api.get(path_of(dataset)).status_code == 404


def test_it_is_refused_while_something_needs_it(api, dataset, images, messages, project):
    assert api.post(f"{path_of(dataset)}exports/", {"format": "folder"}).status_code == 202
    answer = api.delete(path_of(dataset))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "dataset_in_use")
    assert counts(project) == (1, COUNT)


def test_an_import_does_not_go_on_in_a_dataset_that_is_being_removed(api, dataset, images, messages, project):
    job = start(api, dataset, make_zip({"good/9.jpg": jpeg(9)})).json()["id"]
    dataset_removal.remove_dataset(Dataset.objects.get())
    jobs.run_job(job)
    assert Job.objects.get().error_code == "dataset_deleted" and Image.objects.count() == COUNT
    assert counts(project) == (0, 0)


def test_who_still_holds_the_dataset_adds_nothing(api, dataset, images, messages, owner):
    held = Dataset.objects.select_related("project").get()
    moved = list(Image.objects.select_related("dataset"))
    dataset_removal.remove_dataset(Dataset.objects.get())
    assert dataset_removal.delete_images(images=moved) == 0
    with pytest.raises(dataset_removal.NotFound):
        dataset_removal.remove_dataset(held)
    with pytest.raises(Exception, match="deleted while"):
        take_snapshot(dataset=held, user=owner, fractions={"train": 0.8, "validation": 0.1, "test": 0.1}, seed=1)


def test_a_label_that_is_only_on_images_that_are_being_removed_is_free(api, project, dataset, images, labels, messages):
    api.delete(path_of(dataset))
    path = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/"
    assert api.delete(path).status_code == 204
    assert not Annotation.objects.exists() and Image.objects.count() == COUNT
    removal.remove_projects()
    assert not Image.objects.exists()


@pytest.fixture
def sizes(monkeypatch) -> list[int]:
    """How many images each transaction changed, at most three."""
    seen: list[int] = []
    real = label_removal._carry_out_some

    def watched(label, steps, others):
        (images, change), in_trash = steps
        return real(label, ((images, lambda pks: (seen.append(len(pks)), change(pks))), in_trash), others)

    monkeypatch.setattr(label_removal, "CHUNK", 3)
    monkeypatch.setattr(label_removal, "_carry_out_some", watched)
    return seen


@pytest.mark.parametrize("choice", ["delete", "unlabel", "move"])
def test_a_label_goes_in_small_transactions(api, project, images, labels, sizes, choice):
    option = f"images={choice}"
    if choice == "move":
        option += f"&move_to={labels['bad']['id']}"
    path = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/"
    assert api.delete(f"{path}?{option}").status_code == 204
    assert sizes == [3, 3, 1] and correct_counts() == 0
    assert [label.name for label in Label.objects.all()] == ["bad"]
    assert Image.objects.count() == counts(project)[1] == (0 if choice == "delete" else COUNT)
    assert Annotation.objects.count() == (COUNT if choice == "move" else 0)


def test_a_label_whose_removal_was_broken_off_is_removed_by_the_next(api, project, images, labels, sizes, monkeypatch):
    path = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/?images=delete"
    with monkeypatch.context() as patch:
        patch.setattr(label_removal, "delete_images", _once(label_removal.delete_images))
        assert api.delete(path).status_code == 500
    assert Image.objects.count() == counts(project)[1] == COUNT - 3
    assert api.delete(path).status_code == 204 and counts(project)[1] == 0


def _once(real):
    done = []

    def called(**options):
        if done:
            raise RuntimeError("the process dies")
        done.append(True)
        return real(**options)

    return called


def test_no_transaction_of_the_background_is_large(api, dataset, images, snapshots, messages, monkeypatch):
    from storage import deleting

    seen = []
    real = deleting._delete
    monkeypatch.setattr(deleting, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(deleting, "_delete", lambda model, pks: seen.append((model, len(pks))) or real(model, pks))
    monkeypatch.setattr(deleting.delete_in_chunks, "__kwdefaults__", {"size": 3})
    api.delete(path_of(dataset))
    removal.remove_projects()
    assert max(size for _, size in seen) == 3
    assert {Dataset, Image, Annotation, Snapshot, SnapshotImage, Project} <= {model for model, _ in seen}
