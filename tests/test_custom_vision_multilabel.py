"""Projects with several tags an image, as programs written for Azure Custom Vision use them."""

from __future__ import annotations

import base64

import pytest
from django.conf import settings

from datasets.models import Annotation, Image
from projects.services import create_project
from tests.custom_vision import refused, service_of
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture
def service(owner):
    return service_of(owner)


@pytest.fixture
def path(service) -> str:
    return f"projects/{service.post('projects?name=Cells')['id']}"


def tag(service, path: str, name: str, kind: str = "Regular") -> str:
    return service.post(f"{path}/tags?name={name}&type={kind}")["id"]


def batch(*entries: tuple[int, list[str]]) -> dict:
    images = [
        {"name": f"{seed}", "contents": base64.b64encode(jpeg(seed)).decode(), "tagIds": tags} for seed, tags in entries
    ]
    return {"images": images}


def test_images_have_as_many_tags_as_are_given(service, path):
    red, white, none = tag(service, path, "red"), tag(service, path, "white"), tag(service, path, "none", "Negative")
    sent = service.post(f"{path}/images/files", batch((1, [red, white]), (2, [none]), (3, [red, none]), (4, [])))
    assert [row["status"] for row in sent["images"]] == ["OK", "OK", "ErrorNegativeAndRegularTagOnSameImage", "OK"]
    first, second, last = (sent["images"][n]["image"] for n in (0, 1, 3))
    assert {row["tagId"] for row in first["tags"]} == {red, white} and "tags" not in last
    given = service.post(
        f"{path}/images/tags", {"tags": [{"imageId": last["id"], "tagId": tag} for tag in (red, white)]}
    )
    assert len(given["created"]) == 2 and not given["exceeded"]
    again = service.post(f"{path}/images/tags", {"tags": [{"imageId": last["id"], "tagId": red}]})
    assert len(again["duplicated"]) == 1
    assert service.get(f"{path}/images/tagged/count?tagIds={red}") == 2
    mixed = service.ask("POST", f"{path}/images/tags", {"tags": [{"imageId": second["id"], "tagId": red}]})
    assert refused(mixed) == (400, "BadRequestNegativeAndRegularTagOnSameImage")
    service.delete(f"{path}/images/tags?imageIds={last['id']}&tagIds={red}")
    rows = service.get(f"{path}/images/id?imageIds={last['id']}")
    assert [row["tagName"] for row in rows[0]["tags"]] == ["white"]


def test_an_image_whose_last_tag_is_taken_is_untagged(service, path):
    red = tag(service, path, "red")
    sent = service.post(f"{path}/images/files", batch((1, [red])))
    pk = sent["images"][0]["image"]["id"]
    service.delete(f"{path}/images/tags?imageIds={pk}&tagIds={red}")
    assert service.get(f"{path}/images/untagged/count") == 1
    assert not Annotation.objects.exists() and not Image.objects.get().reviewed


def test_a_project_of_the_studio_is_seen_as_what_it_is(service, owner):
    native = create_project(user=owner, name="Native", task="multilabel")
    assert service.get(f"projects/{native.pk}")["settings"]["classificationType"] == "Multilabel"
