"""Projects of Azure Custom Vision, copied into the studio. The service that is copied from is the studio itself."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from custom_vision import copying, fetching, source
from custom_vision.images import NewImage
from custom_vision.models import CopiedImage, ProjectCopy
from custom_vision.tasks import forget_predictions
from datasets.models import Annotation, Image, Label
from jobs.errors import WorkCancelled
from jobs.models import Job
from jobs.services import run_job
from projects.models import Project
from tests.custom_vision import DETECTION, Service, service_of
from tests.test_custom_vision_images import entry

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what another service answers")]
ENDPOINT = "https://name.cognitiveservices.azure.com"


class Cloud:
    """Answers as the studio does, at another address.

    Attributes:
        refusals: statuses that come first, before answers do.
        asked: the addresses, in order.
    """

    def __init__(self) -> None:
        self.refusals: list[int] = []
        self.asked: list[str] = []

    @contextmanager
    def __call__(self, url: str, deadline: float, guard: Any, headers: dict) -> Iterator[SimpleNamespace]:
        self.asked.append(url)
        parts, answered = urlsplit(url), Message()
        if self.refusals:
            status, content = self.refusals.pop(0), b'{"error": {"code": "x", "message": "Out of call volume quota."}}'
            answered["Retry-After"] = "0"
        else:
            answer = Client().get(f"{parts.path}?{parts.query}", headers=headers)
            status, content = answer.status_code, answer.content
        yield SimpleNamespace(status=status, read=io.BytesIO(content).read, headers=answered)


@pytest.fixture
def cloud(monkeypatch) -> Cloud:
    answers = Cloud()
    monkeypatch.setattr(source, "asking", answers)
    return answers


@pytest.fixture
def service(owner) -> Service:
    return service_of(owner)


@pytest.fixture
def there(service, monkeypatch) -> str:
    """A detection project with boxes, an untagged image and metadata; three pages of it."""
    monkeypatch.setattr(source, "PAGE", 1)
    pk = service.post(f"projects?name=Cells&description=of%20blood&domainId={DETECTION}")["id"]
    tag = service.post(f"projects/{pk}/tags?name=RBC&description=red")["id"]
    service.post(f"projects/{pk}/tags?name=WBC")
    box = {"tagId": tag, "left": 0.25, "top": 0.25, "width": 0.5, "height": 0.5}
    batch = {"images": [entry(1, regions=[box]), entry(2, regions=[box])], "metadata": {"line": "3"}}
    service.post(f"projects/{pk}/images/files", batch)
    service.post(f"projects/{pk}/images/files", {"images": [entry(3)]})
    return pk


@pytest.fixture
def copy(api, cloud, there, service) -> Any:
    def copy(**fields: str) -> Job:
        body = {"endpoint": f"{ENDPOINT}/", "key": service.secret, "source_project": there, **fields}
        answer = api.post("/api/v1/projects/custom-vision/", body)
        assert answer.status_code == 201, answer.content
        made = answer.json()
        assert answer["Location"].endswith(f"/projects/{made['project']}/")
        run_job(made["job"])
        return Job.objects.get(pk=made["job"])

    return copy


def test_all_of_it_is_copied(api, service, there, copy):
    rows = api.post("/api/v1/projects/custom-vision/sources/", {"endpoint": ENDPOINT, "key": service.secret}).json()
    assert [(row["id"], row["name"]) for row in rows] == [(there, "Cells")]
    job = copy(name="Blood")
    assert job.state == "succeeded", job.error_detail
    assert {name: job.result[name] for name in ("tags", "images", "duplicates", "failed")} == {
        "tags": 2, "images": 3, "duplicates": 0, "failed": 0,
    }  # fmt: skip
    project = service.get(f"projects/{job.project_id}")
    assert (project["name"], project["description"]) == ("Blood", "of blood")
    assert project["settings"]["domainId"] == DETECTION
    tags = {
        row["name"]: (row["description"], row["imageCount"]) for row in service.get(f"projects/{project['id']}/tags")
    }
    assert tags == {"RBC": ("red", 2), "WBC": ("", 0)}
    images = service.get(f"projects/{project['id']}/images/tagged?orderBy=Oldest")
    assert [image["metadata"] for image in images] == [{"line": "3"}] * 2
    assert [round(images[0]["regions"][0][edge], 3) for edge in ("left", "top", "width", "height")] == [
        0.25, 0.25, 0.5, 0.5,
    ]  # fmt: skip
    assert service.get(f"projects/{project['id']}/images/untagged/count") == 1
    assert Image.objects.values("blob").distinct().count() == 3 and job.progress["done"] == 3


def test_the_next_copy_brings_what_is_new(service, there, copy):
    first = copy()
    service.post(f"projects/{there}/images/files", {"images": [entry(4)]})
    second = copy()
    assert first.project_id == second.project_id and second.result["images"] == 1
    assert second.result["duplicates"] == 0 and CopiedImage.objects.count() == 4
    assert copy(name="Another").project_id != first.project_id


def test_it_goes_on_where_it_was_stopped(copy, cloud, monkeypatch):
    real = copying.create_images
    monkeypatch.setattr(copying, "create_images", lambda **fields: 1 / 0)
    assert copy().state == "failed"
    assert ProjectCopy.objects.get().sealed_key and CopiedImage.objects.count() == 0
    calls = []

    def create_some(**fields: Any) -> list[str]:
        calls.append(fields)
        if len(calls) == 2:
            raise RuntimeError
        return real(**fields)

    monkeypatch.setattr(copying, "create_images", create_some)
    assert copy().state == "failed" and CopiedImage.objects.count() == 1
    job = copy()
    assert job.state == "succeeded" and job.result["images"] == 2 and CopiedImage.objects.count() == 3
    assert Project.objects.count() == 2 and Image.objects.filter(dataset__project=job.project).count() == 3


def test_the_key_lies_nowhere(api, copy, service, caplog):
    job = copy()
    assert ProjectCopy.objects.get().sealed_key == ""
    page = api.get(f"/api/v1/projects/{job.project_id}/jobs/{job.pk}/").content.decode()
    history = api.get(f"/api/v1/projects/{job.project_id}/changes/").content.decode()
    kept = json.dumps([job.parameters, job.position, job.result, job.progress])
    for text in (page, history, kept, caplog.text):
        assert service.secret not in text


def test_a_key_of_a_copy_that_came_to_no_end_is_forgotten(api, service, cloud, there, monkeypatch):
    body = {"endpoint": ENDPOINT, "key": service.secret, "source_project": there}
    job = api.post("/api/v1/projects/custom-vision/", body).json()["job"]
    assert service.secret not in ProjectCopy.objects.get().sealed_key
    ProjectCopy.objects.update(keyed_at="2020-01-01T00:00:00Z")
    forget_predictions()
    run_job(job)
    assert Job.objects.get(pk=job).error_code == "source_key_wrong"


def test_it_waits_while_the_service_is_asked_too_much(copy, cloud, monkeypatch):
    run = copying._Copying.run

    def refused_at_first(self):
        cloud.refusals += [429, 503]
        return run(self)

    monkeypatch.setattr(copying._Copying, "run", refused_at_first)
    job = copy()
    assert job.state == "succeeded" and not cloud.refusals


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (401, "source_key_wrong", "Training-Key"),
        (403, "source_refuses", "Out of call volume quota"),
        (404, "source_not_found", "no such project"),
        (429, "source_busy", "later"),
        (500, "source_unavailable", "500"),
        (302, "source_unavailable", "302"),
    ],
)
def test_what_the_service_refuses_is_said(api, service, cloud, there, status, code, word):
    cloud.refusals = [status]
    body = {"endpoint": ENDPOINT, "key": service.secret, "source_project": there}
    answer = api.post("/api/v1/projects/custom-vision/", body)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, code) and word in error["detail"]
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://name.example.com", "source_not_allowed"),
        ("https://127.0.0.1:1", "source_not_allowed"),
        ("https://", "source_not_allowed"),
        ("ftp://a", "source_not_allowed"),
        ("https://a:b", "source_not_allowed"),
    ],
)
def test_which_endpoints_are_asked(api, endpoint, code):
    answer = api.post("/api/v1/projects/custom-vision/sources/", {"endpoint": endpoint, "key": "k"})
    (error,) = answer.json()["errors"]
    assert (error["code"], error["attr"]) == (code, "endpoint")


def test_a_place_without_an_answer(api, settings):
    settings.FETCH_HOSTS = ("127.0.0.1:1",)
    body = {"endpoint": "http://127.0.0.1:1/customvision/v3.3/Training/", "key": "k"}
    answer = api.post("/api/v1/projects/custom-vision/sources/", body)
    (error,) = answer.json()["errors"]
    assert error["code"] == "source_unavailable" and "http://127.0.0.1:1 cannot be reached" in error["detail"]


def test_another_page_is_no_custom_vision(api, cloud, monkeypatch):
    monkeypatch.setattr(source, "ADDRESS", "healthz")
    answer = api.post("/api/v1/projects/custom-vision/sources/", {"endpoint": ENDPOINT, "key": "k"})
    assert answer.json()["errors"][0]["code"] == "source_unavailable"


def test_images_that_cannot_be_had_are_asked_for_again(copy, monkeypatch):
    real = copying.fetched

    @contextmanager
    def fetched(images: Any, **options: Any) -> Iterator[None]:
        with real(images, **options):
            images[0].problem = images[0].problem or "ErrorSource"
            yield

    monkeypatch.setattr(copying, "fetched", fetched)
    job = copy()
    assert (job.state, job.result["failed"]) == ("succeeded", 3)
    monkeypatch.setattr(copying, "fetched", real)
    assert copy().result["images"] == 3


def test_tags_of_classification(owner, service, cloud, project):
    label = Label.objects.create(project=project, name="good", color="#112233")
    rows = [
        {"id": "a", "name": "good", "description": "as it should be", "type": "Regular"},
        {"id": "b", "name": " none ", "description": None, "type": "Negative"},
    ]
    made = copying.copy_tags(project, rows)
    assert made["a"].pk == label.pk and made["b"].name == "none"
    assert copying.copy_tags(project, rows) == made
    tags = {row["name"]: (row["type"], row["description"]) for row in service.get(f"projects/{project.pk}/tags")}
    assert tags == {"good": ("Regular", "as it should be"), "none": ("Negative", "")}


class TestCommand:
    def test_it_lists_and_copies(self, service, owner, cloud, there, capsys, monkeypatch):
        monkeypatch.setattr("custom_vision.management.commands.import_custom_vision.Command._report", lambda *a: None)
        monkeypatch.setenv("CUSTOM_VISION_KEY", service.secret)
        call_command("import_custom_vision", endpoint=ENDPOINT)
        assert f"{there}  Cells" in capsys.readouterr().out
        options = {"endpoint": ENDPOINT, "project": "Cells", "name": "Here", "user": owner.username}
        call_command("import_custom_vision", **options)
        assert "3 images copied, 0 were there already, 0 failed; 2 tags." in capsys.readouterr().out
        assert Annotation.objects.filter(image__dataset__project__name="Here").count() == 2
        with pytest.raises(CommandError, match="has no project Other"):
            call_command("import_custom_vision", endpoint=ENDPOINT, project="Other")
        with pytest.raises(CommandError, match="no user nobody"):
            call_command("import_custom_vision", endpoint=ENDPOINT, project=there, user="nobody")

    def test_what_is_wrong_is_said(self, cloud):
        with pytest.raises(CommandError, match="does not accept this key"):
            call_command("import_custom_vision", endpoint=ENDPOINT, key="wrong")


def test_a_job_keeps_its_lease_while_images_are_waited_for(monkeypatch):
    """A server may ask to wait for a minute, again and again; a job that is cancelled does not wait for it."""
    asked = []

    def fetch(url: str):
        asked.append(url)
        raise fetching.FetchFailed("It is asked too much.", wait=60.0)

    def keep() -> None:
        raise WorkCancelled

    monkeypatch.setattr(fetching, "own_image", lambda url: None)
    monkeypatch.setattr(fetching, "fetch", fetch)
    images = [NewImage("https://a.example/1.jpg", filename="1.jpg")]
    with pytest.raises(WorkCancelled), fetching.fetched(images, tries=3, keep=keep):
        pytest.fail("nothing was fetched")
    assert len(asked) == 1
