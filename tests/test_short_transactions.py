"""While a transaction writes, nobody else can on SQLite: nothing waits for the disk or copies inside of one."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from inference.registry.registration import register_model
from jobs import services as jobs
from storage import services as storage
from storage.cache import Incoming
from storage.models import Blob
from tests.conftest import upload
from tests.made_videos import made_video
from tests.pictures import jpeg, make_zip
from tests.test_imports import run_import

pytestmark = pytest.mark.django_db


@pytest.fixture
def depths(monkeypatch) -> list[int]:
    """How deep in transactions files were synced and written; the test itself is the outermost one."""
    seen: list[int] = []

    def watched(name: str) -> None:
        real = getattr(Incoming, name)

        def watching(self, *args):
            seen.append(len(connection.savepoint_ids))
            return real(self, *args)

        monkeypatch.setattr(Incoming, name, watching)

    watched("sync")
    watched("write")
    return seen


def test_an_upload(api, dataset, depths):
    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(6)])
    assert depths and set(depths) == {0}


def test_an_import(api, dataset, depths):
    job = run_import(api, dataset, make_zip({"a/1.jpg": jpeg(1), "b/2.jpg": jpeg(2), "b/3.txt": b"x"}))
    assert job["state"] == "succeeded" and depths and set(depths) == {0}


def test_a_video(api, dataset, depths):
    file = SimpleUploadedFile("a.mp4", made_video(3), "video/mp4")
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/videos/", {"file": file}, format="multipart")
    assert answer.status_code == 201 and depths and set(depths) == {0}


def test_a_model(project, owner, depths, tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("a\nb\n")
    model = register_model(
        project=project,
        name="m",
        class_names=["a", "b"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files={"labels": path},
        user=owner,
    )
    assert model.files.get(kind="labels").filename == "labels.txt" and depths and set(depths) == {0}


def test_an_export(api, dataset, depths):
    upload(api, dataset, [("a.jpg", jpeg(1))])
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/exports/", {"format": "folder"})
    jobs.run_job(answer.json()["id"])
    assert api.get(answer["Location"]).json()["state"] == "succeeded" and set(depths) == {0}


def received(content: bytes) -> Incoming:
    incoming = storage.receive()
    incoming.write(content)
    return incoming


def test_a_staged_file_is_whole_before_its_row(db):
    incoming = received(b"content")
    storage.stage([incoming])
    storage.stage([incoming])
    path = storage.local_cache().path(incoming.sha256)
    assert path.read_bytes() == b"content" and not Blob.objects.exists()
    blob = storage.keep(incoming, "text/plain")
    assert storage.path_of(blob).read_bytes() == b"content" and not incoming.path.exists()


def test_a_sweep_between_staging_and_keeping_loses_nothing(db):
    incoming = received(b"content")
    storage.stage([incoming])
    storage.local_cache().remove(incoming.sha256)
    assert storage.path_of(storage.keep(incoming, "text/plain")).read_bytes() == b"content"


def test_a_damaged_file_is_replaced_by_the_same_upload(db):
    path = storage.path_of(storage.keep(received(b"content"), "text/plain"))
    path.write_bytes(b"conte")
    incoming = received(b"content")
    storage.stage([incoming])
    storage.keep(incoming, "text/plain")
    assert path.read_bytes() == b"content"


def test_a_file_system_without_links(db, monkeypatch):
    def no_links(*args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("storage.cache.os.link", no_links)
    incoming = received(b"content")
    storage.stage([incoming])
    assert not incoming.is_staged
    assert storage.path_of(storage.keep(incoming, "text/plain")).read_bytes() == b"content"
