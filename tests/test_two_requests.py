"""Two requests at the same moment for one thing: one of them comes too late, none breaks, and counts stay true.

What two writers do below the API is in `test_two_writers`.
"""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets import removal
from datasets.models import Annotation, Dataset, Image, Label, Snapshot, SnapshotImage, Video
from edge.models import Deployment
from inference.models import Model
from jobs import services as jobs
from jobs.models import Job
from mlstudio.counts import correct_counts
from projects.models import Invitation, Membership, Project, TrashEntry
from storage.models import Upload
from storage.resumable import path_of
from tests.conftest import client_of, upload
from tests.made_videos import made_video
from tests.pictures import jpeg, make_zip
from tests.test_edge import add_device, fresh_keys, group  # noqa: F401 - fixtures
from tests.test_imports import start
from tests.test_registry import make_model
from tests.test_resumable import begin, send
from tests.test_two_writers import counts_are_true, together  # noqa: F401 - a fixture
from training import services as trainings
from training.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture
def request_of(owner):
    """A request of the owner, with a client of its own, that answers its status."""

    def prepared(method: str, path: str, body=None, **headers):
        return lambda: getattr(client_of(owner), method)(f"/api/v1/{path}", body, format="json", **headers).status_code

    return prepared


@pytest.fixture
def images(api, dataset) -> list[str]:
    return [one["id"] for one in upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(6)])["created"]]


def test_one_key_is_one_project(request_of):
    body = {"name": "Bolts", "task": "classification"}
    statuses = together(*[request_of("post", "projects/", body, HTTP_IDEMPOTENCY_KEY="k")] * 3)
    assert set(statuses) <= {201, 409} and 201 in statuses and Project.objects.count() == 1


def test_datasets_made_and_deleted(request_of, project, dataset):
    made = [request_of("post", "datasets/", {"project": str(project.pk), "name": f"d{n}"}) for n in range(3)]
    statuses = together(*made, *[request_of("delete", f"datasets/{dataset['id']}/")] * 2)
    assert statuses[:3] == [201] * 3 and set(statuses[3:]) <= {204, 404} and 204 in statuses[3:]
    project.refresh_from_db()
    assert project.dataset_count == Dataset.objects.filter(project=project).count() == 3


def test_labels_made_and_deleted(request_of, project, labels):
    path = f"projects/{project.pk}/labels/"
    made = [request_of("post", path, {"name": f"l{n}"}) for n in range(3)]
    statuses = together(*made, *[request_of("delete", f"{path}{labels['good']['id']}/")] * 2)
    assert statuses[:3] == [201] * 3 and set(statuses[3:]) <= {204, 404, 409} and 204 in statuses[3:]
    assert Project.objects.get().label_count == Label.objects.count() == 4


def test_two_labels_merged_into_each_other(request_of, project, labels, api, images):
    good, bad = labels["good"]["id"], labels["bad"]["id"]
    for number, image in enumerate(images):
        api.put(f"/api/v1/images/{image}/annotations/", [{"label": ("good", "bad")[number % 2]}], format="json")
    path = f"projects/{project.pk}/labels/"
    statuses = together(
        request_of("post", f"{path}{good}/merge/", {"into": bad}),
        request_of("post", f"{path}{bad}/merge/", {"into": good}),
    )
    assert sorted(statuses) in ([200, 400], [200, 404], [200, 409])
    (left,) = Label.objects.all()
    assert set(Annotation.objects.values_list("label", flat=True)) == {left.pk} and Annotation.objects.count() == 6


def test_an_image_deleted_and_annotated(request_of, labels, images, dataset):
    label = [{"label": "good"}]
    statuses = together(
        *[request_of("delete", f"images/{images[0]}/")] * 2,
        *[request_of("put", f"images/{images[0]}/annotations/", label)] * 2,
        request_of("post", "images/bulk/", {"action": "delete", "images": images[:2]}),
    )
    assert set(statuses) <= {200, 204, 404, 409} and {200, 204} & set(statuses)
    assert Image.objects.get(pk=images[0]).project.trash_of_id == Dataset.objects.get(pk=dataset["id"]).project_id
    assert correct_counts() == 0 and TrashEntry.objects.filter(is_empty=False).count() in (1, 2)


def test_models_registered_and_deleted(request_of, project, owner, tmp_path):
    made = [make_model(project, owner, tmp_path, name) for name in ("one", "two")]
    statuses = together(
        *[request_of("delete", f"models/{made[0].pk}/")] * 3,
        lambda: make_model(project, owner, tmp_path, "three").version,
    )
    assert set(statuses[:3]) <= {204, 404} and 204 in statuses[:3] and statuses[3] == 3
    project.refresh_from_db()
    assert project.model_count == Model.objects.filter(project=project).count() == 2


def test_a_model_deployed_and_deleted(api, request_of, project, owner, group, tmp_path):  # noqa: F811
    gadget = add_device(api, project, group)
    model = make_model(project, owner, tmp_path, "m")
    deployed, deleted = together(
        request_of("post", "deployments/", {"group": group["id"], "model": str(model.pk)}),
        request_of("delete", f"models/{model.pk}/"),
    )
    assert (deployed, deleted) in ((201, 409), (400, 204), (404, 204), (409, 204))
    assert (gadget.payload()["model"] is not None) == (deployed == 201)


def test_two_deployments_to_one_group(api, request_of, project, owner, group, tmp_path):  # noqa: F811
    gadget = add_device(api, project, group)
    made = [make_model(project, owner, tmp_path, name) for name in ("one", "two")]
    statuses = together(
        *[request_of("post", "deployments/", {"group": group["id"], "model": str(model.pk)}) for model in made]
    )
    assert set(statuses) <= {201, 409} and 201 in statuses
    newest = Deployment.objects.order_by("-id").first()
    assert newest is not None and gadget.payload()["deployment"] == str(newest.pk)


def test_snapshots_beside_uploads_and_deletes(owner, request_of, dataset, labels):
    def add(*seeds: int) -> list[str]:
        files = [(f"{seed}.jpg", jpeg(seed)) for seed in seeds]
        return [
            one["id"] for one in upload(client_of(owner), dataset, files, label=list(labels)[seeds[0] % 2])["created"]
        ]

    images = [*add(*range(0, 20)), *add(*range(21, 40))]
    path = f"datasets/{dataset['id']}/snapshots/"
    statuses = together(
        *[request_of("post", path, {"seed": number}) for number in range(3)],
        lambda: len(add(*range(50, 55))),
        request_of("post", "images/bulk/", {"action": "delete", "images": images[:3]}),
    )
    assert set(statuses[:3]) <= {201, 409} and statuses[3:] == [5, 200]
    numbers = sorted(Snapshot.objects.values_list("number", flat=True))
    assert numbers == list(range(1, statuses[:3].count(201) + 1))
    for snapshot in Snapshot.objects.all():
        # All of what was uploaded at once or none of it, and the same of what was deleted.
        assert SnapshotImage.objects.filter(snapshot=snapshot).count() in {36, 39, 41, 44}


@pytest.mark.parametrize("what", ["datasets", "projects"])
def test_an_import_under_which_its_owner_goes(api, request_of, project, dataset, what):
    job = start(api, dataset, make_zip({f"crack/{n}.jpg": jpeg(n) for n in range(8)})).json()["id"]
    address = f"datasets/{dataset['id']}/" if what == "datasets" else f"projects/{project.pk}/"
    _, deleted = together(lambda: jobs.run_job(job), request_of("delete", address))
    jobs.run_job(job)  # what waits goes on
    assert deleted in (204, 409)
    if deleted == 204:
        assert not Dataset.objects.exists() and not Image.objects.exists()
        assert set(Job.objects.values_list("state", flat=True)) <= {"succeeded", "failed", "cancelled"}
    else:
        assert Image.objects.count() == 8


@pytest.fixture
def training(project, dataset, owner, labels) -> dict:
    """The body of a request for a training on 20 labelled images."""
    for number, name in enumerate(labels):
        files = [(f"{n}.jpg", jpeg(n)) for n in range(10 * number, 10 * number + 10)]
        upload(client_of(owner), dataset, files, label=name)
    return {"project": str(project.pk), "dataset": dataset["id"], "architecture": "small_cnn", "image_size": 32}


def has_its_images(run: TrainingRun) -> bool:
    return SnapshotImage.objects.filter(snapshot=run.snapshot).count() == 20


def test_a_training_begun_while_its_dataset_goes(request_of, dataset, training):
    begun, deleted = together(
        request_of("post", "trainings/", training), request_of("delete", f"datasets/{dataset['id']}/")
    )
    assert (begun, deleted) in ((201, 409), (400, 204), (404, 204), (409, 204))
    assert TrainingRun.objects.count() == (begun == 201) and all(map(has_its_images, TrainingRun.objects.all()))


def test_a_training_begun_when_its_dataset_was_found_unused(request_of, dataset, training, monkeypatch):
    found_unused = removal.require_unused

    def and_then_begun(row, **options):
        found_unused(row, **options)
        if not TrainingRun.objects.exists():
            assert request_of("post", "trainings/", training)() == 201

    monkeypatch.setattr(removal, "require_unused", and_then_begun)
    assert request_of("delete", f"datasets/{dataset['id']}/")() == 409
    assert has_its_images(TrainingRun.objects.get())


def test_a_dataset_that_goes_when_its_training_was_checked(request_of, dataset, training, monkeypatch):
    checked = trainings.checked

    def and_then_deleted(*arguments):
        found = checked(*arguments)
        assert request_of("delete", f"datasets/{dataset['id']}/")() == 204
        return found

    monkeypatch.setattr(trainings, "checked", and_then_deleted)
    assert request_of("post", "trainings/", training)() == 409
    assert not TrainingRun.objects.exists()


def test_one_part_twice(api, owner):
    location = begin(api, 3000)["Location"]
    parts = [bytes([letter]) * 1000 for letter in b"ab"]
    statuses = together(*[lambda part=part: send(client_of(owner), location, 0, part).status_code for part in parts])
    assert sorted(statuses) in ([204, 409], [204, 423])
    assert path_of(Upload.objects.get()).read_bytes() in parts


def test_one_upload_becomes_one_video(api, owner, request_of, dataset):
    content = made_video(8)
    begun = begin(api, len(content))
    assert send(api, begun["Location"], 0, content).status_code == 204
    path = f"datasets/{dataset['id']}/videos/"
    statuses = together(*[request_of("post", path, {"upload": begun.json()["id"]})] * 3)
    assert set(statuses) <= {200, 201, 400, 404, 409} and statuses.count(201) == 1 and Video.objects.count() == 1


def test_the_same_video_twice(owner, dataset):
    content = made_video(9)

    def sent() -> int:
        file = SimpleUploadedFile("video.mp4", content, "video/mp4")
        path = f"/api/v1/datasets/{dataset['id']}/videos/"
        return client_of(owner).post(path, {"file": file}, format="multipart").status_code

    statuses = together(sent, sent)
    assert set(statuses) <= {200, 201, 409} and 201 in statuses and Video.objects.count() == 1


def test_an_invitation_accepted_twice_and_withdrawn(api, request_of, project, outsider):
    api.post(f"/api/v1/projects/{project.pk}/members/", {"username": "outsider", "role": "viewer"})
    pk = Invitation.objects.get().pk

    def accept() -> int:
        return client_of(outsider).post(f"/api/v1/invitations/{pk}/accept/").status_code

    statuses = together(accept, accept, request_of("delete", f"projects/{project.pk}/invitations/{pk}/"))
    assert set(statuses) <= {201, 204, 400, 404, 409} and statuses[:2].count(201) <= 1
    assert Membership.objects.filter(user=outsider).count() == statuses[:2].count(201)
    assert not Invitation.objects.exists()


def test_a_name_is_registered_once(client):
    def register() -> int:
        account = {"username": "mia", "email": "mia@example.com", "password": "correct horse battery"}
        return client_of(None).post("/api/v1/auth/register/", account, format="json").status_code

    statuses = together(*[register] * 3)
    assert statuses.count(201) == 1 and set(statuses) <= {201, 400, 409}


def test_images_moved_into_a_dataset_that_goes(api, request_of, project, dataset, images):
    other = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "other"}).json()["id"]
    moved, deleted = together(
        request_of("post", "images/bulk/", {"action": "move", "images": images, "dataset": other}),
        request_of("delete", f"datasets/{other}/"),
    )
    assert moved in (200, 400, 404, 409) and deleted in (204, 409)
    assert Image.objects.count() in (0, 6) and (moved == 200 or Image.objects.count() == 6)
