from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from projects.models import Membership, Role
from projects.services import create_project
from tests.pictures import jpeg
from tests.real_data import FOLDER


def pytest_collection_modifyitems(items) -> None:
    if FOLDER.is_dir():
        return
    skip = pytest.mark.skip(reason=f"no real data at {FOLDER} (set MLSTUDIO_REAL_DATA)")
    for item in items:
        if "real_data" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file, because event streams and threads read through connections of their own."""
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        settings.DATABASES["default"]["TEST"]["NAME"] = settings.DATA_DIR / "test.sqlite3"


@pytest.fixture(scope="session")
def real_data() -> Path:
    return FOLDER


@pytest.fixture(autouse=True)
def no_throttling(settings):
    from django.core.cache import caches

    settings.CACHES = {**settings.CACHES, "throttle": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    caches["throttle"].clear()


def make_user(name: str):
    return get_user_model().objects.create_user(name, f"{name}@example.com", "a long pass phrase")


def client_of(user) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


@pytest.fixture
def owner(db):
    return make_user("owner")


@pytest.fixture
def outsider(db):
    return make_user("outsider")


@pytest.fixture
def project(owner):
    return create_project(user=owner, name="Screws", task="classification")


@pytest.fixture
def editor(project):
    user = make_user("editor")
    Membership.objects.create(project=project, user=user, role=Role.EDITOR)
    return user


@pytest.fixture
def viewer(project):
    user = make_user("viewer")
    Membership.objects.create(project=project, user=user, role=Role.VIEWER)
    return user


@pytest.fixture
def api(owner) -> APIClient:
    """A client of the project's owner."""
    return client_of(owner)


@pytest.fixture
def dataset(api, project) -> dict:
    answer = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "photos"})
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def labels(api, project) -> dict[str, dict]:
    made = {}
    for name in ("good", "bad"):
        made[name] = api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": name}).json()
    return made


@pytest.fixture
def image(api, dataset) -> dict:
    return upload(api, dataset, [("one.jpg", jpeg(1))])["created"][0]


def upload(api, dataset: dict, files: list[tuple[str, bytes]], **fields) -> dict:
    from django.core.files.uploadedfile import SimpleUploadedFile

    parts = [SimpleUploadedFile(name, content, "application/octet-stream") for name, content in files]
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", {"files": parts, **fields}, format="multipart")
    assert answer.status_code == 201, answer.content
    return answer.json()
