"""Images of snapshots, what differs between two, and exports of one."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.models import Image
from inference.models import Model
from jobs import services as jobs
from projects.services import create_project
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
SNAPSHOTS = "/api/v1/snapshots/"


def bulk(api, images, **change) -> None:
    answer = api.post("/api/v1/images/bulk/", {"images": [one["id"] for one in images], **change})
    assert answer.status_code == 200, answer.content


def take(api, dataset) -> str:
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {})
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    made = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(8)])["created"]
    bulk(api, made[:5], action="label", label="good")
    bulk(api, made[5:], action="label", label="bad")
    bulk(api, made, action="split", split="train")
    bulk(api, made[1:2], action="split", split="test")
    bulk(api, made[7:], action="split", split="validation")
    return made


@pytest.fixture
def two(api, dataset, images) -> tuple[str, str]:
    """Before and after: one removed, one added, one relabelled, one moved, one both."""
    first = take(api, dataset)
    bulk(api, images[:1], action="delete")
    bulk(api, images[2:3], action="label", label="bad")
    bulk(api, images[3:4], action="split", split="validation")
    bulk(api, images[4:5], action="label", label="bad")
    bulk(api, images[4:5], action="split", split="test")
    (new,) = upload(api, dataset, [("new.jpg", jpeg(77))])["created"]
    bulk(api, [new], action="label", label="good")
    bulk(api, [new], action="split", split="train")
    return first, take(api, dataset)


def rows(api, path, **query) -> list[dict]:
    answer = api.get(f"{SNAPSHOTS}{path}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def names(found) -> list:
    return [row["filename"] for row in found]


def test_images_of_a_snapshot_are_as_they_were_then(api, two):
    before, _ = two
    found = rows(api, f"{before}/images/")
    assert len(found) == 8 and {row["filename"] for row in found} == {None, *(f"{n}.jpg" for n in range(1, 8))}
    second = next(row for row in found if row["filename"] == "2.jpg")
    assert (second["labels"], second["split"], second["before"]) == (["good"], "train", None)
    assert second["annotations"] == [{"label": "good", "box": None}] and second["width"] and second["thumbnail"]
    assert names(rows(api, f"{before}/images/", split="test")) == ["1.jpg"]
    assert set(names(rows(api, f"{before}/images/", label="bad"))) == {"5.jpg", "6.jpg", "7.jpg"}
    first = api.get(f"{SNAPSHOTS}{before}/images/", {"page_size": 3}).json()
    assert len(first["results"]) == 3 and names(first["results"]) == names(found[:3])
    assert names(api.get(first["next"]).json()["results"]) == names(found[3:6])


def test_a_deleted_image_is_shown_all_the_same(api, two, outsider):
    row = next(one for one in rows(api, f"{two[0]}/images/") if one["image"] is None)
    assert row["thumbnail"].startswith(f"{SNAPSHOTS}{two[0]}/images/{row['id']}/thumbnail/")
    answer = api.get(row["thumbnail"])
    assert answer.status_code == 200 and answer["Content-Type"] in ("image/jpeg", "image/webp")
    assert "immutable" in answer["Cache-Control"]
    assert client_of(outsider).get(row["thumbnail"]).status_code == 404
    assert api.get(f"{SNAPSHOTS}{two[1]}/images/{row['id']}/thumbnail/").status_code == 404


def test_two_snapshots_are_compared(api, two):
    before, after = two
    answer = api.get(f"{SNAPSHOTS}{after}/compare/", {"with": before}).json()
    assert (answer["before"]["id"], answer["after"]["id"]) == (before, after)
    assert answer["images"] == {"added": 1, "removed": 1, "relabelled": 2, "moved": 2, "unchanged": 4}
    assert {row["label"]: (row["before"], row["after"]) for row in answer["labels"]} == {"good": (5, 3), "bad": (3, 5)}
    assert {row["split"]: (row["before"], row["after"]) for row in answer["splits"]} == {
        "train": (6, 4),
        "validation": (1, 2),
        "test": (1, 2),
    }


def test_each_difference_has_its_images(api, two):
    before, after = two

    def of(difference: str) -> list[dict]:
        return rows(api, f"{after}/compare/images/", **{"with": before, "difference": difference})

    assert names(of("added")) == ["new.jpg"] and names(of("removed")) == [None]
    assert set(names(of("relabelled"))) == {"2.jpg", "4.jpg"} and set(names(of("moved"))) == {"3.jpg", "4.jpg"}
    (moved,) = [row for row in of("moved") if row["filename"] == "4.jpg"]
    assert (moved["labels"], moved["split"]) == (["bad"], "test")
    assert moved["before"] == {"split": "train", "labels": ["good"]}


def test_a_snapshot_is_the_same_as_itself(api, two):
    answer = api.get(f"{SNAPSHOTS}{two[0]}/compare/", {"with": two[0]}).json()
    assert answer["images"] == {"added": 0, "removed": 0, "relabelled": 0, "moved": 0, "unchanged": 8}


def test_what_cannot_be_compared_is_refused(api, two, owner, outsider):
    before, after = two
    path = f"{SNAPSHOTS}{after}/compare/"
    assert api.get(path).status_code == 400
    assert api.get(path, {"with": "x"}).status_code == 400
    assert api.get(path, {"with": before, "whith": "x"}).status_code == 400
    assert api.get(f"{path}images/", {"with": before, "difference": "some"}).status_code == 400
    other = create_project(user=owner, name="Other", task="classification")
    dataset = api.post("/api/v1/datasets/", {"project": str(other.pk), "name": "d"}).json()
    api.post(f"/api/v1/projects/{other.pk}/labels/", {"name": "good"})
    upload(api, dataset, [("a.jpg", jpeg(1))], label="good")
    answer = api.get(path, {"with": take(api, dataset)})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "snapshot_does_not_fit")
    assert client_of(outsider).get(path, {"with": before}).status_code == 404
    api.force_authenticate(None)
    assert api.get(path, {"with": before}).status_code == 401


def test_a_record_without_images_has_nothing_to_compare(api, dataset, project, two):
    before, after = two
    for one in two:
        model = Model.objects.create(
            project=project,
            name="m",
            version=len(one) + Model.objects.count(),
            task="classification",
            class_names=["good"],
            architecture="x",
            input_height=32,
            input_width=32,
            parameters=1,
            snapshot_id=one,
        )
        assert [row["id"] for row in api.get("/api/v1/models/", {"snapshot": one}).json()["results"]] == [str(model.pk)]
    assert api.delete(f"/api/v1/datasets/{dataset['id']}/?force=true").status_code == 204
    answer = api.get(f"{SNAPSHOTS}{after}/compare/", {"with": before})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "snapshot_without_images")
    assert rows(api, f"{after}/images/") == []
    assert api.post(f"{SNAPSHOTS}{after}/exports/", {"format": "csv"}).status_code == 409


def test_an_export_has_what_the_snapshot_had(api, two, viewer):
    before, _ = two
    path = f"{SNAPSHOTS}{before}/exports/"
    assert client_of(viewer).post(path, {"format": "folder"}).status_code == 403
    assert api.post(path, {"format": "coco"}).status_code == 400
    answer = api.post(path, {"format": "folder"})
    assert answer.status_code == 202
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["state"] == "succeeded", job
    assert job["result"]["images"] == 8
    content = b"".join(api.get(f"/api/v1/jobs/{job['id']}/file/").streaming_content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = archive.namelist()
    assert "train/good/2.jpg" in files and "train/good/4.jpg" in files
    assert len([name for name in files if name.endswith(".jpg")]) == 8


def test_a_page_costs_a_fixed_number_of_queries(api, two):
    def cost(path: str, **query) -> int:
        with CaptureQueriesContext(connection) as queries:
            rows(api, path, **query)
        return len(queries)

    before, after = two
    assert cost(f"{before}/images/", page_size=1) == cost(f"{before}/images/", page_size=5)
    compared = {"with": before, "difference": "relabelled"}
    assert cost(f"{after}/compare/images/", **compared, page_size=1) == cost(f"{after}/compare/images/", **compared)
    assert Image.objects.filter(dataset__project__trash_of=None).count() == 8
