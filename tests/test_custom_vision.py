"""The addresses of Custom Vision: keys, errors, domains, projects and tags."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from custom_vision.models import ProjectSettings
from projects.models import Project
from projects.services import create_project
from tests.custom_vision import COMPACT, DETECTION, TRAINING, Service, predictor_of, refused, service_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("addresses and answers of another service")]


@pytest.fixture
def service(owner) -> Service:
    return service_of(owner)


class TestAddresses:
    @pytest.mark.parametrize(
        "base",
        [
            "/customvision/v3.0/training/",
            "/customvision/v3.3/Training/",
            "//customvision/v3.4-preview/training/",
            "/CustomVision/V3.2/TRAINING/",
        ],
    )
    def test_case_version_and_a_doubled_slash_make_no_difference(self, service, base):
        assert service.ask("GET", "domains", base=base).status_code == 200
        assert service.ask("GET", "Domains/", base=base).status_code == 200

    @pytest.mark.parametrize("path", ["/customvision/v2.2/Training/projects", "/customvision/", "/customvision/v3.0/x"])
    def test_what_is_elsewhere_is_404_and_says_where(self, service, path):
        for method in ("GET", "POST"):
            answer = service.ask(method, "", base=path)
            assert refused(answer) == (404, "NotFound") and b"v3" in answer.content

    def test_a_method_that_an_address_has_not(self, service):
        assert refused(service.ask("PUT", "projects")) == (405, "BadRequestNotSupported")


class TestKeys:
    def test_each_header_that_programs_send(self, service):
        for name in ("Training-key", "Ocp-Apim-Subscription-Key"):
            assert Service(service.secret, name).ask("GET", "projects").status_code == 200
        answer = Service("").ask("GET", "projects", Authorization=f"Bearer {service.secret}")
        assert answer.status_code == 200

    @pytest.mark.parametrize("secret", ["", "wrong", "schlüssel"])
    def test_a_wrong_key_is_read_by_both_kinds_of_programs(self, secret):
        answer = Service(secret).ask("GET", "projects")
        assert refused(answer) == (401, "Unauthorized")
        assert answer.json()["error"]["code"] == "401"

    def test_no_key_in_the_address_and_no_session(self, service, owner):
        assert Service("").ask("GET", f"projects?Training-Key={service.secret}").status_code == 401
        browser = Client()
        browser.force_login(owner)
        assert browser.get("/api/v1/projects/").status_code == 200
        assert browser.get(f"{TRAINING}projects").status_code == 401

    def test_a_key_for_predictions_does_nothing_else(self, owner, project):
        secret = predictor_of(owner).secret
        for header in ("Training-Key", "Ocp-Apim-Subscription-Key", "Prediction-Key"):
            status, _ = refused(Service(secret, header).ask("GET", "projects"))
            assert status in (401, 403)
        for path in ("projects/", f"projects/{project.pk}/", "users/me/", "tokens/", "events/"):
            answer = Service("").ask("GET", path, base="/api/v1/", Authorization=f"Token {secret}")
            assert answer.json()["errors"][0]["code"] == "token_predicts_only", path
        assert (
            Service("").ask("POST", "tokens/", {}, base="/api/v1/", Authorization=f"Token {secret}").status_code == 403
        )

    def test_only_a_key_for_predictions_is_for_one_project(self, api, project):
        made = api.post("/api/v1/tokens/", {"name": "p", "scope": "predict", "project": str(project.pk)}).json()
        assert (made["scope"], made["project"]) == ("predict", str(project.pk))
        answer = api.post("/api/v1/tokens/", {"name": "p", "project": str(project.pk)})
        assert answer.json()["errors"][0]["code"] == "project_needs_predict"
        answer = api.post("/api/v1/tokens/", {"name": "p", "scope": "predict", "project": str(uuid.uuid4())})
        assert answer.json()["errors"][0]["code"] == "does_not_exist"


class TestDomains:
    def test_ids_and_order_are_those_that_programs_know(self, service):
        rows = service.get("domains")
        assert len(rows) == 18 and {row["type"] for row in rows} == {"Classification", "ObjectDetection"}
        first = next(row for row in rows if row["type"] == "ObjectDetection")
        assert first["id"] == "9c616dff-2e7d-ea11-af59-1866da359ce6"
        assert [row["id"] for row in rows if row["name"] == "General"][1] == DETECTION
        assert service.get(f"domains/{COMPACT.upper()}")["exportable"] is True

    def test_an_unknown_one(self, service):
        assert refused(service.ask("GET", f"domains/{uuid.uuid4()}")) == (404, "NotFoundDomain")


class TestProjects:
    @pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/x-www-form-urlencoded", ""])
    def test_a_project_is_made_of_the_query_alone(self, service, kind):
        answer = service.ask("POST", "projects?name=Screws&description=&targetExportPlatforms=", content_type=kind)
        made = answer.json()
        assert answer.status_code == 200 and made["name"] == "Screws" and made["description"] == ""
        assert made["settings"]["classificationType"] == "Multilabel"
        assert made["settings"]["targetExportPlatforms"] == [] and made["settings"]["useNegativeSet"] is True
        assert made["status"] == "Succeeded" and made["created"].endswith("Z")

    def test_a_project_keeps_its_classification_type(self, service):
        made = service.post("projects?name=a&classificationType=multiclass")
        assert made["settings"]["classificationType"] == "Multiclass"
        path = f"projects/{made['id']}"
        assert service.patch(path, {"settings": made["settings"]})["settings"] == made["settings"]
        answer = service.ask("PATCH", path, {"settings": {"classificationType": "Multilabel"}})
        assert refused(answer) == (400, "BadRequestNotSupported")

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("", "BadRequestProjectName"),
            (f"name={'a' * 101}", "BadRequestProjectName"),
            (f"name=a&domainId={uuid.UUID(int=7)}", "BadRequestProjectUnknownDomain"),
            ("name=a&classificationType=many", "BadRequestProjectUnknownClassification"),
        ],
    )
    def test_what_cannot_be_made(self, service, query, code):
        assert refused(service.ask("POST", f"projects?{query}")) == (400, code)
        assert not Project.objects.exists()

    def test_it_is_a_project_of_the_studio_and_the_other_way_round(self, service, api, owner):
        made = service.post(f"projects?name=Boxes&domainId={DETECTION}")
        assert made["settings"]["domainId"] == DETECTION and made["settings"]["classificationType"] is None
        assert api.get(f"/api/v1/projects/{made['id']}/").json()["task"] == "detection"
        native = create_project(user=owner, name="Native", task="classification")
        assert [row["name"] for row in service.get("projects")] == ["Native", "Boxes"]
        read = service.get(f"projects/{str(native.pk).upper()}")
        assert read["settings"]["classificationType"] == "Multiclass" and read["settings"]["domainId"]
        assert not ProjectSettings.objects.filter(project=native).exists()
        changed = service.patch(f"projects/{native.pk}", {"settings": {"domainId": COMPACT}})
        assert (
            changed["settings"]["domainId"] == COMPACT == service.get(f"projects/{native.pk}")["settings"]["domainId"]
        )

    def test_a_list_of_many_costs_the_same(self, service, owner, django_assert_max_num_queries):
        for number in range(5):
            service.post(f"projects?name={number}")
        with django_assert_max_num_queries(6):
            assert len(service.get("projects")) == 5

    def test_changes_leave_what_is_not_said(self, service):
        made = service.post(f"projects?name=a&description=b&domainId={COMPACT}&targetExportPlatforms=CoreML,ONNX")
        changed = service.patch(f"projects/{made['id']}", {"Name": "c"})
        assert (changed["name"], changed["description"]) == ("c", "b")
        assert changed["settings"] == made["settings"]
        general = "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
        changed = service.patch(f"projects/{made['id']}", {"settings": {"domainId": general}})
        assert changed["settings"]["domainId"] == general and changed["name"] == "c"
        assert changed["settings"]["targetExportPlatforms"] == ["CoreML", "ONNX"]
        answer = service.ask("PATCH", f"projects/{made['id']}", {"settings": {"domainId": DETECTION}})
        assert refused(answer) == (400, "BadRequestProjectUnsupportedDomainTypeChange")

    def test_a_project_of_others_is_not_there(self, service, outsider, viewer, project):
        assert refused(service_of(outsider).ask("GET", f"projects/{project.pk}")) == (404, "NotFoundProject")
        for text in ("x", str(uuid.uuid4())):
            assert refused(service.ask("GET", f"projects/{text}")) == (404, "NotFoundProject")
        reads = service_of(viewer)
        assert reads.get(f"projects/{project.pk}")["name"] == "Screws"
        answer = reads.ask("PATCH", f"projects/{project.pk}", {"name": "x"})
        assert refused(answer) == (403, "ForbiddenUserInsufficientCapability")

    def test_it_goes_into_the_trash(self, service, api):
        made = service.post("projects?name=a")
        service.delete(f"projects/{made['id']}")
        assert service.get("projects") == []
        assert refused(service.ask("GET", f"projects/{made['id']}")) == (404, "NotFoundProject")

    def test_broken_json_is_an_error_that_programs_read(self, service, project):
        answer = service.ask("PATCH", f"projects/{project.pk}", b"{")
        assert refused(answer) == (400, "BadRequest")


class TestTags:
    def test_made_changed_and_deleted(self, service, project):
        path = f"projects/{project.pk}/tags"
        made = service.post(f"{path}?name=Hemlock&description=A%20tree&type=Regular")
        assert (made["name"], made["description"], made["type"]) == ("Hemlock", "A tree", "Regular")
        assert made["imageCount"] == 0 and service.get(f"{path}/{made['id']}") == made
        changed = service.patch(f"{path}/{made['id']}", {"name": "Spruce"})
        assert (changed["name"], changed["description"]) == ("Spruce", "A tree")
        service.delete(f"{path}/{made['id']}")
        assert service.get(path) == [] and refused(service.ask("GET", f"{path}/{made['id']}")) == (404, "NotFoundTag")

    def test_names_are_unique_and_composed(self, service, project):
        path = f"projects/{project.pk}/tags"
        made = service.post(f"{path}?name=caf%65%CC%81")
        assert made["name"] == "caf\u00e9"
        assert refused(service.ask("POST", f"{path}?name=caf%C3%A9")) == (400, "BadRequestTagNameNotUnique")

    def test_one_negative_tag_and_no_other_kinds(self, service, project):
        path = f"projects/{project.pk}/tags"
        assert service.post(f"{path}?name=none&type=Negative")["type"] == "Negative"
        assert refused(service.ask("POST", f"{path}?name=b&type=Negative")) == (400, "BadRequestMultipleNegativeTag")
        assert refused(service.ask("POST", f"{path}?name=c&type=GeneralProduct")) == (400, "BadRequestTagType")
        assert refused(service.ask("POST", f"{path}?name=")) == (400, "BadRequestTagName")
        boxes = service.post(f"projects?name=Boxes&domainId={DETECTION}")
        answer = service.ask("POST", f"projects/{boxes['id']}/tags?name=n&type=Negative")
        assert refused(answer) == (400, "BadRequestDetectionTrainingNotAllowNegativeTag")

    def test_a_tag_of_the_studio_is_one(self, service, project, labels):
        rows = service.get(f"projects/{project.pk}/tags")
        assert {row["name"]: row["type"] for row in rows} == {"good": "Regular", "bad": "Regular"}


def test_the_addresses_are_in_no_schema_of_the_studio():
    from tests.once import openapi_schema

    assert not [path for path in openapi_schema()["paths"] if "customvision" in path.lower()]
    assert TRAINING.startswith("/customvision/")
