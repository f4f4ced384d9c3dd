"""Every operation that changes something can be taken back, or stands here with the reason why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.gallery.keeping import settle
from datasets.models import Annotation, Dataset, Image, Label, Snapshot, Video
from inference.models import Model
from jobs.models import Job
from mlstudio.counts import correct_counts
from projects.models import Change, Membership, Project
from tests.conftest import client_of, upload
from tests.made_videos import made_video
from tests.once import openapi_schema
from tests.pictures import jpeg, make_zip
from tests.test_imports import run_import
from tests.test_registry import make_model
from tests.test_trash import trash
from tests.test_undo import undo

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("every change that is taken back")]
API = "/api/v1"
ROOMS = ("projects", "datasets", "images", "videos", "snapshots", "models", "annotations", "changes", "trash")
OPERATIONS = {
    f"{method.upper()} {path.removeprefix(f'{API}/')}"
    for path, operations in openapi_schema()["paths"].items()
    for method in operations
    if method in ("post", "put", "patch", "delete") and path.removeprefix(f"{API}/").split("/")[0] in ROOMS
}
BY_A_JOB = "a job does it, and its result names the change"
READS = "it changes nothing that is the user's: it computes, and a job has the result"
ACCESS = "who may see a project is granted and taken by hand: no undo may give access back"
VIEW = "a name for a way to look at images: nothing of the project changes"
EXCEPTIONS = {
    "POST datasets/{id}/imports/": BY_A_JOB,
    "POST videos/{video_id}/frames/": BY_A_JOB,
    "POST videos/{id}/proxy/": "a copy for browsers, kept as long as its job",
    "POST datasets/{id}/exports/": READS,
    "POST datasets/{id}/duplicates/": READS,
    "POST datasets/{id}/snapshots/": "a snapshot is a record that nothing changes or deletes",
    "POST snapshots/{id}/exports/": READS,
    "POST projects/{project_id}/saved-filters/": VIEW,
    "PATCH projects/{project_id}/saved-filters/{id}/": VIEW,
    "DELETE projects/{project_id}/saved-filters/{id}/": VIEW,
    "POST projects/custom-vision/": "it makes a project: deleting that puts it into the trash",
    "POST projects/custom-vision/sources/": "it changes nothing: it asks another service",
    "POST projects/samples/": "it makes a project: deleting that puts it into the trash",
    "POST projects/{project_id}/leave/": ACCESS,
    "POST projects/{project_id}/members/": ACCESS,
    "PATCH projects/{project_id}/members/{id}/": ACCESS,
    "DELETE projects/{project_id}/members/{id}/": ACCESS,
    "POST projects/{project_id}/invitation-links/": ACCESS,
    "DELETE projects/{project_id}/invitation-links/{id}/": ACCESS,
    "DELETE projects/{project_id}/invitations/{id}/": ACCESS,
    "POST models/": "a job makes the model: deleting that puts it into the trash",
    "POST projects/{project_id}/live-model/keep/": "a training makes the model: deleting that puts it into the trash",
    "POST models/{id}/stage/": "devices follow stages: moving back is a decision, with a line in the history",
    "POST models/{id}/publish/": "it writes to a store of the user's",
    "POST models/{id}/exports/": "it adds a file to the model",
    "POST models/{id}/evaluations/": READS,
    "POST models/{id}/explanations/": READS,
    "POST models/{id}/predict/": READS,
    "POST models/compare/": READS,
    "POST models/{id}/suggestions/": "what a model suggests is confirmed or rejected",
    "POST datasets/{id}/suspects/": READS,
    "POST models/{id}/suspects/": READS,
    "POST projects/{project_id}/map/": READS,
    "DELETE trash/{id}/": "it is how things are removed for good",
    "POST trash/empty/": "it is how things are removed for good",
}


@pytest.fixture
def world(api, project, dataset, labels, owner, tmp_path) -> dict:
    images = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)], label="good")["created"]
    snapshot = api.post(f"{API}/datasets/{dataset['id']}/snapshots/", {}).json()
    video = Video.objects.create(
        dataset_id=dataset["id"],
        blob=Image.objects.first().blob,
        filename="v.mp4",
        container="mp4",
        size=9,
        width=1,
        height=1,
        fps=1,
        frame_count=2,
        duration=1,
    )
    Annotation.objects.filter(image=images[2]["id"]).update(confirmed=False, origin="model", score=0.5)
    settle([images[2]["id"]])
    return {
        "project": str(project.pk),
        "dataset": dataset["id"],
        "image": images[0]["id"],
        "label": labels["good"]["id"],
        "other": labels["bad"]["id"],
        "snapshot": snapshot["id"],
        "video": str(video.pk),
        "suggestion": str(Annotation.objects.get(image=images[2]["id"]).pk),
        "model": str(make_model(project, owner, tmp_path, "m").pk),
    }


def operations(api, w: dict) -> dict[str, Callable]:
    label = f"{API}/projects/{w['project']}/labels/"
    deleted = api.delete(f"{API}/images/{w['image']}/") if w.get("deleted") else None
    change = deleted and deleted["X-Change"]
    entry = change and trash(api, Project.objects.get(pk=w["project"]))[0]["id"]

    def file(name: str, content: bytes) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, content, "application/octet-stream")

    def json(method: str, path: str, body):
        return getattr(api, method)(f"{API}/{path}", body, format="json")

    return {
        "POST datasets/": lambda: api.post(f"{API}/datasets/", {"project": w["project"], "name": "new"}),
        "PATCH datasets/{id}/": lambda: json("patch", f"datasets/{w['dataset']}/", {"name": "n"}),
        "DELETE datasets/{id}/": lambda: api.delete(f"{API}/datasets/{w['dataset']}/"),
        "POST datasets/{id}/images/": lambda: api.post(
            f"{API}/datasets/{w['dataset']}/images/", {"files": [file("n.jpg", jpeg(9))]}, format="multipart"
        ),
        "POST datasets/{id}/videos/": lambda: api.post(
            f"{API}/datasets/{w['dataset']}/videos/",
            {"file": file("n.mp4", made_video(3))},
            format="multipart",
        ),
        "PATCH images/{id}/": lambda: json("patch", f"images/{w['image']}/", {"split": "test"}),
        "DELETE images/{id}/": lambda: api.delete(f"{API}/images/{w['image']}/"),
        "PUT images/{id}/annotations/": lambda: json("put", f"images/{w['image']}/annotations/", []),
        "PATCH images/{id}/annotations/": lambda: json(
            "patch",
            f"images/{w['image']}/annotations/",
            {"add": [], "change": [], "remove": [str(Annotation.objects.get(image=w["image"]).pk)]},
        ),
        "POST images/bulk/": lambda: json("post", "images/bulk/", {"images": [w["image"]], "action": "delete"}),
        "POST annotations/review/": lambda: json("post", "annotations/review/", {"confirm": [w["suggestion"]]}),
        "PATCH videos/{id}/": lambda: json("patch", f"videos/{w['video']}/", {"filename": "n.mp4"}),
        "DELETE videos/{id}/": lambda: api.delete(f"{API}/videos/{w['video']}/"),
        "PATCH snapshots/{id}/": lambda: json("patch", f"snapshots/{w['snapshot']}/", {"name": "n", "notes": "t"}),
        "POST projects/": lambda: api.post(f"{API}/projects/", {"name": "new"}),
        "PATCH projects/{id}/": lambda: json("patch", f"projects/{w['project']}/", {"name": "n", "description": "d"}),
        "DELETE projects/{id}/": lambda: api.delete(f"{API}/projects/{w['project']}/"),
        "POST projects/{project_id}/labels/": lambda: api.post(label, {"name": "new"}),
        "PATCH projects/{project_id}/labels/{id}/": lambda: api.patch(f"{label}{w['label']}/", {"name": "n"}),
        "DELETE projects/{project_id}/labels/{id}/": lambda: api.delete(f"{label}{w['label']}/?images=unlabel"),
        "POST projects/{project_id}/labels/{id}/merge/": lambda: api.post(
            f"{label}{w['label']}/merge/", {"into": w["other"]}
        ),
        "POST projects/{project_id}/labels/reorder/": lambda: json(
            "post", f"projects/{w['project']}/labels/reorder/", {"labels": [w["other"], w["label"]]}
        ),
        "PATCH models/{id}/": lambda: json("patch", f"models/{w['model']}/", {"name": "n", "tags": ["t"]}),
        "DELETE models/{id}/": lambda: api.delete(f"{API}/models/{w['model']}/"),
        "POST changes/{id}/undo/": lambda: api.post(f"{API}/changes/{change}/undo/"),
        "POST trash/{id}/restore/": lambda: api.post(f"{API}/trash/{entry}/restore/"),
    }


UNDONE = sorted(
    operations(
        None,
        dict.fromkeys(("project", "dataset", "image", "label", "other", "video", "snapshot", "suggestion", "model")),
    )
)


def everything() -> tuple:
    """All that a member sees."""
    seen = Project.objects.filter(memberships__isnull=False).distinct()
    images = Image.objects.filter(dataset__project__in=seen)
    marks = ("pk", "image", "label", "origin", "score", "confirmed", "created_by", "created_at")
    return tuple(
        sorted(map(str, rows))
        for rows in (
            seen.values_list("pk", "name", "description", "image_count", "dataset_count", "model_count", "label_count"),
            Membership.objects.values_list("project", "user", "role"),
            Label.objects.filter(project__in=seen).values_list("pk", "name", "order"),
            Dataset.objects.filter(project__in=seen).values_list("pk", "name", "image_count"),
            images.values_list("pk", "dataset", "filename", "split", "group", "reviewed", "video", "facets"),
            Annotation.objects.filter(image__in=images).values_list(*marks),
            Video.objects.filter(dataset__project__in=seen).values_list("pk", "dataset", "filename"),
            Snapshot.objects.filter(project__in=seen).values_list("pk", "dataset", "name", "notes"),
            Model.objects.filter(project__in=seen).values_list("pk", "name", "tags"),
        )
    )


def test_every_operation_is_taken_back_or_has_a_reason():
    assert OPERATIONS - set(UNDONE) - set(EXCEPTIONS) == set()
    assert (set(UNDONE) | set(EXCEPTIONS)) - OPERATIONS == set() and not set(UNDONE) & set(EXCEPTIONS)


def test_the_schema_says_which():
    told = {
        f"{method.upper()} {path.removeprefix(f'{API}/')}"
        for path, found in openapi_schema()["paths"].items()
        for method, operation in found.items()
        if any("X-Change" in answer.get("headers", {}) for answer in operation["responses"].values())
    }
    assert told & OPERATIONS == set(UNDONE)


@pytest.mark.parametrize("operation", UNDONE)
def test_there_and_back_and_there_again(api, world, operation):
    world["deleted"] = operation.startswith(("POST changes", "POST trash"))
    make = operations(api, world)[operation]
    before = everything()
    answer = make()
    assert answer.status_code < 300 and answer.has_header("X-Change"), answer.content
    after = everything()
    assert before != after and correct_counts() == 0
    undone = undo(api, answer["X-Change"])
    assert everything() == before and correct_counts() == 0
    redone = undo(api, undone["id"])
    assert everything() == after and correct_counts() == 0
    undo(api, redone["id"])
    assert everything() == before


class TestImports:
    def run(self, api, dataset, content: bytes, **options) -> dict:
        return run_import(api, dataset, content, **options)

    def test_what_it_made_goes_and_comes_again(self, api, project, dataset):
        before = everything()
        job = self.run(api, dataset, make_zip({f"{name}/{n}.jpg": jpeg(n) for n, name in enumerate("aab")}))
        assert job["state"] == "succeeded" and job["result"]["change"], job
        after = everything()
        row = api.get(f"{API}/changes/{job['result']['change']}/").json()
        assert (row["action"], row["details"]["filename"]) == ("import", "photos.zip")
        undone = undo(api, job["result"]["change"])
        assert everything() == before and correct_counts() == 0 and trash(api, project)[0]["count"] == 3
        undo(api, undone["id"])
        assert everything() == after and correct_counts() == 0

    def test_annotations_it_added_to_images_that_were_there(self, api, dataset):
        upload(api, dataset, [("old.jpg", jpeg(0))])
        before = everything()
        job = self.run(api, dataset, make_zip({"train/a/0.jpg": jpeg(0), "train/b/1.jpg": jpeg(1)}))
        assert job["result"]["duplicates_labelled"] == 1
        undo(api, job["result"]["change"])
        assert everything() == before and correct_counts() == 0

    def test_labels_that_others_use_since_stay(self, api, project, dataset):
        (old,) = upload(api, dataset, [("old.jpg", jpeg(0))])["created"]
        job = self.run(api, dataset, make_zip({"a/1.jpg": jpeg(1), "b/2.jpg": jpeg(2)}))
        api.put(f"{API}/images/{old['id']}/annotations/", [{"label": "a"}], format="json")
        undo(api, job["result"]["change"])
        assert list(Label.objects.filter(project=project).values_list("name", flat=True)) == ["a"]
        assert Image.objects.filter(dataset=dataset["id"]).count() == 1 and correct_counts() == 0

    def test_what_was_annotated_since_stands_against_it(self, api, project, dataset, editor):
        job = self.run(api, dataset, make_zip({"a/1.jpg": jpeg(1), "b/2.jpg": jpeg(2)}))
        image = (
            Image.objects.get(filename="a/1.jpg") if Image.objects.filter(filename="a/1.jpg") else Image.objects.first()
        )
        client_of(editor).put(f"{API}/images/{image.pk}/annotations/", [], format="json")
        refused = undo(api, job["result"]["change"], 409)
        assert refused["changed"][0]["reason"] == "it was annotated since"
        assert Image.objects.filter(dataset=dataset["id"]).count() == 2

    def test_not_while_it_runs(self, api, dataset):
        job = self.run(api, dataset, make_zip({"a/1.jpg": jpeg(1)}))
        Job.objects.filter(pk=job["id"]).update(state="running")
        assert undo(api, job["result"]["change"], 409)["errors"][0]["code"] == "still_running"

    def test_a_dry_run_is_no_change(self, api, dataset):
        made = Change.objects.count()
        job = self.run(api, dataset, make_zip({"a/1.jpg": jpeg(1)}), dry_run=True)
        assert "change" not in job["result"] and Change.objects.count() == made
