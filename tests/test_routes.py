"""Every route of the schema, walked as a stranger, an outsider and a viewer."""

from __future__ import annotations

import re
import uuid

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from datasets.models import Label, Snapshot, Video
from inference.models import Evaluation
from projects.invitations import add_or_invite
from projects.models import Job, Membership, Webhook
from storage.resumable import begin_upload
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg
from tests.test_registry import make_model
from training.models import Search, TrainingRun

pytestmark = pytest.mark.django_db

SCHEMA = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = [
    (method.upper(), path)
    for path, operations in SCHEMA["paths"].items()
    for method in operations
    if method in ("get", "post", "put", "patch", "delete") and path.startswith("/api/v1/")
]
OPEN = {"/api/v1/", "/api/v1/auth/register/", "/api/v1/auth/login/", "/api/v1/auth/password/reset/",
        "/api/v1/auth/password/reset/confirm/", "/api/v1/auth/email/confirm/"}  # fmt: skip
WITH_IDS = [operation for operation in OPERATIONS if "{" in operation[1]]
# What a viewer may do although it is no GET: ask a model, leave.
VIEWER_MAY = {
    ("POST", f"/api/v1/{path}/")
    for path in ("models/{id}/predict", "models/{id}/explanations", "projects/{project_id}/leave")
}
# These ask for a role in the dataset that the body names.
BODY_DECIDES = {("POST", f"/api/v1/models/{{id}}/{name}/") for name in ("suggestions", "suspects")}
# What belongs to a user alone, or only to owners, does not exist for others.
OWN = ("/api/v1/tokens/", "/api/v1/uploads/", "/api/v1/webhooks/", "/api/v1/invitations/")


@pytest.fixture
def house(api, owner, project, dataset, labels, tmp_path) -> dict[str, str]:
    """One object of every kind, all of the owner: path parameter by kind → id."""
    image = upload(api, dataset, [("a.jpg", jpeg(1))], label="good")["created"][0]
    snapshot = Snapshot.objects.get(pk=api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"])
    member = make_user("member")
    token = api.post("/api/v1/tokens/", {"name": "t"}).json()
    model = make_model(project, owner, tmp_path, "m", snapshot=snapshot)
    group = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "g"}).json()["id"]
    deployed = api.post("/api/v1/deployments/", {"group": group, "model": str(model.pk)}).json()["id"]
    video = Video.objects.create(
        dataset_id=dataset["id"], blob=snapshot.images.first().blob, filename="v.mp4", container="mp4", size=1, width=1,
        height=1, fps=1, frame_count=1, duration=1,
    )  # fmt: skip
    return {
        "device-groups": group,
        "devices": api.post("/api/v1/devices/", {"project": str(project.pk), "name": "d"}).json()["id"],
        "enrolment-codes": api.post("/api/v1/enrolment-codes/", {"project": str(project.pk)}).json()["id"],
        "deployments": deployed,
        "projects": str(project.pk),
        "members": str(Membership.objects.create(project=project, user=member, role="viewer").pk),
        "labels": str(Label.objects.get(name="good").pk),
        "datasets": dataset["id"],
        "images": image["id"],
        "snapshots": str(snapshot.pk),
        "jobs": str(Job.objects.create(project=project, kind="import").pk),
        "trainings": str(TrainingRun.objects.create(project=project, snapshot=snapshot, configuration={}).pk),
        "models": str(model.pk),
        "tokens": token["id"],
        "videos": str(video.pk),
        "evaluations": str(Evaluation.objects.create(model=model, split="test", metrics={}).pk),
        "uploads": str(begin_upload(user=owner, length=9).pk),
        "invitations": str(add_or_invite(project=project, user=owner, username="nobody", role="viewer").pk),
        "webhooks": str(Webhook.objects.create(project=project, url="https://example.com", secret="whsec_eA==").pk),
        "searches": str(Search.objects.create(project=project, snapshot=snapshot, space={}, sizes=[1], max_runs=3).pk),
    }  # fmt: skip


def filled(path: str, house: dict[str, str]) -> str:
    """The path with the ids of the house: each parameter is named by the word before it."""
    path = path.replace("{kind}", "labels").replace("{name}", "roc")
    return re.sub(r"([a-z-]+)/\{[a-z_]+\}", lambda match: f"{match[1]}/{house[match[1]]}", path)


def test_the_walk_covers_the_whole_api():
    assert len(OPERATIONS) > 60 and len(WITH_IDS) > 35


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if one[1] not in OPEN])
def test_a_stranger_gets_401_everywhere(house, method, path):
    answer = APIClient().generic(method, filled(path, house), b"{}", content_type="application/json")
    assert answer.status_code == 401, answer.content


@pytest.mark.parametrize(("method", "path"), WITH_IDS)
def test_an_outsider_gets_404_for_every_id(house, outsider, method, path):
    client = client_of(outsider)
    kind = "multipart/form-data; boundary=x" if path.endswith(("/images/", "/imports/")) else "application/json"
    answer = client.generic(method, filled(path, house), b"[]" if "annotations" in path else b"{}", content_type=kind)
    assert answer.status_code == 404, (answer.status_code, answer.content)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        one
        for one in WITH_IDS
        if one[0] != "GET" and one not in VIEWER_MAY | BODY_DECIDES and not one[1].startswith(OWN)
    ],
)
def test_a_viewer_gets_403_for_every_change(house, viewer, method, path):
    client = client_of(viewer)
    kind = "multipart/form-data; boundary=x" if path.endswith(("/images/", "/imports/")) else "application/json"
    answer = client.generic(method, filled(path, house), b"[]" if "annotations" in path else b"{}", content_type=kind)
    assert answer.status_code == 403, (answer.status_code, answer.content)


@pytest.mark.parametrize("path", sorted({path for method, path in OPERATIONS if method == "GET" and "{" not in path}))
def test_lists_show_an_outsider_nothing(house, outsider, path):
    client = client_of(outsider)
    body = client.get(path).json()
    text = str(body)
    assert not any(value in text for value in house.values())
    for name in ("projects", "datasets"):
        parameter = name[:-1]
        answer = client.get(path, {parameter: house[name]})
        assert answer.status_code in (200, 400) and house["images"] not in str(answer.json())


def test_ids_in_bodies_are_checked_too(house, outsider):
    client = client_of(outsider)
    stranger = house["projects"]
    assert client.post("/api/v1/datasets/", {"project": stranger, "name": "x"}).status_code == 400
    assert client.post("/api/v1/trainings/", {"project": stranger}).status_code == 400
    assert client.post("/api/v1/trainings/preflight/", {"project": stranger}).status_code == 400
    bulk = {"images": [house["images"]], "action": "delete"}
    assert client.post("/api/v1/images/bulk/", bulk).status_code == 404


def test_ids_of_another_project_are_unknown_inside_mine(house, outsider):
    """A label, dataset or snapshot of another project cannot be smuggled into one's own."""
    client = client_of(outsider)
    mine = client.post("/api/v1/projects/", {"name": "mine", "task": "classification"}).json()["id"]
    assert client.get(f"/api/v1/projects/{mine}/labels/{house['labels']}/").status_code == 404
    dataset = client.post("/api/v1/datasets/", {"project": mine, "name": "d"}).json()
    (image,) = upload(client, dataset, [("a.jpg", jpeg(3))])["created"]
    answer = client.put(f"/api/v1/images/{image['id']}/annotations/", [{"label": house["labels"]}])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_label")
    move = {"images": [image["id"]], "action": "move", "dataset": house["datasets"]}
    assert client.post("/api/v1/images/bulk/", move).status_code == 404
    for name in ("snapshot", "dataset"):
        body = {"project": mine, name: house[f"{name}s"]}
        assert client.post("/api/v1/trainings/", body).status_code == 400


@pytest.mark.parametrize("identifier", ["x", "1", "..", "%00", "0" * 32, str(uuid.uuid4())])
def test_nonsense_ids_are_404_in_our_shape(api, identifier):
    for room in (
        "projects",
        "datasets",
        "images",
        "jobs",
        "trainings",
        "models",
        "snapshots",
        "devices",
        "deployments",
    ):
        answer = api.get(f"/api/v1/{room}/{identifier}/")
        assert answer.status_code == 404 and answer["Content-Type"] == "application/json"
        assert answer.json()["errors"][0]["code"] == "not_found"


def test_every_answer_carries_a_request_id(client):
    for path in ("/api/v1/", "/api/v1/projects/", "/nowhere/", "/healthz/"):
        assert client.get(path).headers["X-Request-ID"]
    assert client.get("/healthz/", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"


class TestIdempotency:
    def post(self, api, key, body=None, path="/api/v1/projects/"):
        return api.post(path, body or {"name": "once", "task": "classification"}, HTTP_IDEMPOTENCY_KEY=key)

    def test_a_repeated_request_creates_once_and_answers_the_same(self, api):
        first, second = self.post(api, "k1"), self.post(api, "k1")
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json() and second["Idempotency-Replayed"] == "true"
        assert len(api.get("/api/v1/projects/").json()["results"]) == 1
        assert self.post(api, "k2").json()["id"] != first.json()["id"]

    def test_another_body_under_the_same_key_is_refused(self, api):
        self.post(api, "k1")
        other = self.post(api, "k1", {"name": "other", "task": "classification"})
        assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "idempotency_key_reused")

    def test_a_failed_request_may_be_repeated(self, api):
        assert self.post(api, "k1", {"name": ""}).status_code == 400
        assert self.post(api, "k1").status_code == 201

    def test_secrets_are_not_kept(self, api):
        body = {"name": "script"}
        assert self.post(api, "k1", body, "/api/v1/tokens/").status_code == 201
        again = self.post(api, "k1", body, "/api/v1/tokens/")
        assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "idempotency_already_done")

    def test_a_request_still_at_work_is_not_done_twice(self, api):
        from mlstudio.models import IdempotencyRecord

        self.post(api, "k1")
        IdempotencyRecord.objects.update(status=None, body=None)
        again = self.post(api, "k1")
        assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "idempotency_in_progress")
