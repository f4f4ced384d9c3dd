# ruff: noqa: F811 - fixtures
"""What programs for Custom Vision stumble over although the answers look right."""

from __future__ import annotations

import base64
import json
import time
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from custom_vision.schema import operations
from tests.custom_vision import TRAINING, Service, refused
from tests.custom_vision_fixtures import service  # noqa: F401 - fixtures
from tests.pictures import jpeg
from tests.test_custom_vision_images import entry

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("addresses and answers of another service")]


@pytest.fixture
def path(project) -> str:
    return f"projects/{project.pk}"


def test_a_batch_is_larger_than_other_json_may_be(service, path, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    body = {"images": [entry(number) for number in range(4)], "tagIds": [], "metadata": {"line": "3"}}
    assert len(json.dumps(body)) > 4 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert service.post(f"{path}/images/files", body)["isBatchSuccessful"] is True
    much = {"images": [{"name": "a" * 3000, "contents": "eA=="}]}
    assert refused(service.ask("POST", f"{path}/images/files", much)) == (400, "BadRequestExceededBatchSize")


def test_tags_of_the_batch_may_come_last_and_contents_first(service, path):
    tag = service.post(f"{path}/tags?name=a")["id"]
    content = base64.b64encode(jpeg(1)).decode()
    body = f'{{"images": [{{"contents": "{content}", "name": "1.jpg"}}], "tagIds": ["{tag}"], "metadata": null}}'
    (row,) = service.post(f"{path}/images/files", body.encode())["images"]
    assert [mark["tagId"] for mark in row["image"]["tags"]] == [tag]


class TestErrorsBeforeAView:
    """Each has a code and a sentence, and none is a redirect."""

    def test_a_fault_of_the_studio(self, service, monkeypatch):
        monkeypatch.setattr("custom_vision.views.projects.workspace.visible_projects", lambda user: 1 / 0)
        assert refused(service.ask("GET", "projects")) == (500, "ErrorUnknown")

    def test_an_unknown_host(self, service, settings):
        settings.ALLOWED_HOSTS = ["studio.example.com"]
        answer = service.ask("GET", "projects")
        assert refused(answer) == (400, "BadRequest")

    def test_nothing_leads_elsewhere(self, service):
        for operation in operations():
            address = operation.path.replace("{", "").replace("}", "")
            answer = service.ask(operation.method, "", b"{}", base=f"/{address}/")
            assert answer.status_code < 300 or answer.status_code >= 400, operation.name
            if answer.status_code >= 400:
                assert refused(answer), operation.name


def test_addresses_live_for_a_day(service, path):
    image = service.post(f"{path}/images/files", {"images": [entry(1)]})["images"][0]["image"]
    (expires,) = parse_qs(urlsplit(image["originalImageUri"]).query)["expires"]
    assert int(expires) - time.time() > 80_000


def test_as_many_images_as_an_address_can_name_are_deleted(service, path):
    made = service.post(f"{path}/images/files", {"images": [entry(number) for number in range(3)]})["images"]
    ids = [row["image"]["id"].upper() for row in made] + [str(uuid.uuid4()) for _ in range(253)]
    service.delete(f"{path}/images?imageIds={','.join(ids)}&allIterations=false")
    assert service.get(f"{path}/images/count") == 0
    answer = service.ask("DELETE", f"{path}/images?imageIds={','.join([*ids, str(uuid.uuid4())])}")
    assert refused(answer) == (400, "BadRequestExceededBatchSize")


def test_a_page_of_another_origin_may_ask_with_its_key(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    headers = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "prediction-key,content-type,x-ms-client-request-id,x-ms-useragent",
    }
    answer = Client().options(f"{TRAINING}projects", headers=headers)
    assert answer.status_code == 200
    allowed = answer["Access-Control-Allow-Headers"].split(", ")
    assert {"training-key", "prediction-key", "ocp-apim-subscription-key", "x-ms-useragent"} <= set(allowed)
    # An error too has them, else a program in a browser cannot read it.
    refusal = Service("wrong").ask("GET", "projects", Origin="https://app.example.com")
    assert refusal.status_code == 401 and refusal["Access-Control-Allow-Origin"] == "https://app.example.com"
