"""Every route of the schema, walked as a stranger, an outsider and a viewer."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from accounts.services import issue_login_token
from datasets.models import DuplicateGroup, Snapshot, Video
from inference.models import Evaluation, LabelIssue
from jobs.models import Job
from projects.invitation_links import make_link
from projects.invitations import add_or_invite
from projects.models import Membership, Role, TrashEntry
from projects.services import create_project
from storage.resumable import begin_upload
from tests.conftest import client_of, make_user, upload
from tests.once import openapi_schema
from tests.pictures import jpeg
from tests.test_registry import make_model
from training.models import Search, TrainingRun
from webhooks.models import Webhook
from webhooks.services import send_ping

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("routes and permissions")]

SCHEMA = openapi_schema()
OPERATIONS = [
    (method.upper(), path)
    for path, operations in SCHEMA["paths"].items()
    for method in operations
    if method in ("get", "post", "put", "patch", "delete") and path.startswith("/api/v1/")
]
OPEN = {
    "/api/v1/",
    "/api/v1/auth/register/",
    "/api/v1/auth/login/",
    "/api/v1/auth/password/reset/",
    "/api/v1/auth/password/reset/confirm/",
    "/api/v1/auth/email/confirm/",
    "/api/v1/auth/session/",
    "/api/v1/join/preview/",
}
# The system is for the staff (`tests/test_system.py`, `test_system_users.py`, `test_system_backups.py`).
STAFF = "/api/v1/system/"
WITH_IDS = [operation for operation in OPERATIONS if "{" in operation[1] and not operation[1].startswith(STAFF)]
# A stream has no end (`tests/test_live_events.py`).
LISTS = sorted(
    {path for method, path in OPERATIONS if method == "GET" and "{" not in path and not path.startswith(STAFF)}
    - {"/api/v1/events/"}
)
# What a viewer may do although it is no GET: ask a model, leave, save a filter.
VIEWER_MAY = {
    ("POST", f"/api/v1/{path}/")
    for path in (
        "models/{id}/predict",
        "models/{id}/explanations",
        "projects/{project_id}/leave",
        "projects/{project_id}/saved-filters",
    )
}
# These ask for a role in the dataset that the body names.
BODY_DECIDES = {("POST", f"/api/v1/models/{{id}}/{name}/") for name in ("suggestions", "suspects")}
# What belongs to a user alone, or only to owners, does not exist for others.
OWN = ("/api/v1/users/me/logins/", "/api/v1/tokens/", "/api/v1/uploads/", "/api/v1/webhooks/", "/api/v1/invitations/")


# What is wrong with an empty body, or with asking this of these objects; never that there is no such object.
SAID_TO_THE_OWNER = {
    "still_running",
    "not_retryable",
    "tus_version",
    "last_owner",
    "deployment_conflict",
    "label_in_use",
    "model_in_use",
    "no_live_model",
    "dataset_in_use",
    "project_in_use",
    "not_evaluated",
    "changed_since",
    "not_embedded",
    "no_embedder",
    "too_few_features",
}


@pytest.fixture(scope="module")
def house(shared_rows, tmp_path_factory) -> dict[str, str]:
    """One object of every kind, all of the owner: path parameter by kind → id."""
    owner = make_user("owner")
    api = client_of(owner)
    project = create_project(user=owner, name="Screws", task="classification")
    dataset = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "photos"}).json()
    label = api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": "good"}).json()
    image = upload(api, dataset, [("a.jpg", jpeg(1))], label="good")["created"][0]
    (deleted,) = upload(api, dataset, [("b.jpg", jpeg(2))])["created"]
    assert api.delete(f"/api/v1/images/{deleted['id']}/").status_code == 204
    change = api.patch(f"/api/v1/images/{image['id']}/", {"group": "g"})["X-Change"]
    snapshot = Snapshot.objects.get(pk=api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"])
    member, guest = make_user("member"), make_user("guest")
    token = api.post("/api/v1/tokens/", {"name": "t"}).json()
    model = make_model(project, owner, tmp_path_factory.mktemp("house"), "m", snapshot=snapshot)
    group = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "g"}).json()["id"]
    deployed = api.post("/api/v1/deployments/", {"group": group, "model": str(model.pk)}).json()["id"]
    blob = snapshot.images.first().blob
    video = Video.objects.create(
        dataset_id=dataset["id"],
        blob=blob,
        filename="v.mp4",
        container="mp4",
        size=1,
        width=1,
        height=1,
        fps=1,
        frame_count=1,
        duration=1,
        strip_blob=blob,
    )
    job = Job.objects.create(project=project, kind="import", report_blob=blob, output_blob=blob, output_name="a.zip")
    job.files.create(name="confusion", blob=blob)
    epoch = {
        "phase": "training",
        "epoch": 1,
        "loss": 0.5,
        "val_loss": 0.6,
        "accuracy": 0.7,
        "learning_rate": 0.1,
        "seconds": 1.0,
        "images_per_second": 9.0,
    }
    run = TrainingRun.objects.create(project=project, snapshot=snapshot, configuration={}, history=[epoch])
    figures = {"confusion_matrix": [[1, 0], [0, 1]]}
    suspect = LabelIssue.objects.create(
        model=model, dataset_id=dataset["id"], image_id=image["id"], kind="label", rank=1, quality=0.1, is_issue=True
    )
    # A group is there as long as two of its images are.
    second = upload(api, dataset, [("b.jpg", jpeg(2))])["created"][0]
    duplicates = DuplicateGroup.objects.create(
        dataset_id=dataset["id"], rank=1, signature="s", is_exact=True, is_leak=False, has_label_conflict=False
    )
    webhook = Webhook.objects.create(project=project, url="https://example.com", secret="whsec_eA==")
    for one in (image, second):
        duplicates.members.create(image_id=one["id"])
    return {
        "device-groups": group,
        "devices": api.post("/api/v1/devices/", {"project": str(project.pk), "name": "d"}).json()["id"],
        "enrolment-codes": api.post("/api/v1/enrolment-codes/", {"project": str(project.pk)}).json()["id"],
        "deployments": deployed,
        "projects": str(project.pk),
        "members": str(Membership.objects.create(project=project, user=member, role="viewer").pk),
        "labels": label["id"],
        "datasets": dataset["id"],
        "images": image["id"],
        "changes": change,
        "trash": str(TrashEntry.objects.get().pk),
        "snapshots": str(snapshot.pk),
        "row": str(snapshot.images.get().pk),
        "suspects": str(suspect.pk),
        "saved-filters": api.post(
            f"/api/v1/projects/{project.pk}/saved-filters/", {"name": "f", "query": {}, "is_shared": True}
        ).json()["id"],
        "duplicate-groups": str(duplicates.pk),
        "jobs": str(job.pk),
        "trainings": str(run.pk),
        "models": str(model.pk),
        "tokens": token["id"],
        "logins": str(issue_login_token(user=owner)[0].login.pk),
        "videos": str(video.pk),
        "evaluations": str(Evaluation.objects.create(model=model, split="test", metrics=figures).pk),
        "uploads": str(begin_upload(user=owner, length=9).pk),
        "invitation-links": str(make_link(project=project, user=owner, role="viewer")[0].pk),
        "invitations": str(add_or_invite(project=project, user=owner, username=guest.username, role="viewer").pk),
        "users": str(owner.pk),
        "webhooks": str(webhook.pk),
        "deliveries": str(send_ping(webhook=webhook).pk),
        "searches": str(Search.objects.create(project=project, snapshot=snapshot, space={}, sizes=[1], max_runs=3).pk),
    }


@pytest.fixture
def owner(house):
    return get_user_model().objects.get(username="owner")


@pytest.fixture
def viewer(house):
    user = make_user("viewer")
    Membership.objects.create(project_id=house["projects"], user=user, role=Role.VIEWER)
    return user


def filled(path: str, house: dict[str, str]) -> str:
    """The path with the ids of the house: each parameter is named by the word before it."""
    path = path.replace("{kind}", "litert-float32").replace("{name}", "confusion")
    path = path.replace("{row}", house["row"])
    return re.sub(r"([a-z-]+)/\{[a-z_]+\}", lambda match: f"{match[1]}/{house[match[1]]}", path)


def ask(user, method: str, path: str, house: dict[str, str]):
    """What a user is answered who sends an empty body."""
    kind = "multipart/form-data; boundary=x" if path.endswith(("/images/", "/imports/")) else "application/json"
    body = b"[]" if "annotations" in path else b"{}"
    return client_of(user).generic(method, filled(path, house), body, content_type=kind)


def test_the_walk_covers_the_whole_api():
    assert len(OPERATIONS) > 60 and len(WITH_IDS) > 35


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if one[1] not in OPEN])
def test_a_stranger_gets_401_everywhere(house, method, path):
    answer = APIClient().generic(method, filled(path, house), b"{}", content_type="application/json")
    assert answer.status_code == 401, answer.content


@pytest.mark.parametrize(("method", "path"), WITH_IDS)
def test_an_outsider_gets_404_for_every_id_and_its_owner_does_not(house, outsider, owner, method, path):
    answer = ask(outsider, method, path, house)
    assert answer.status_code == 404, (answer.status_code, answer.content)
    is_invitation = path.startswith("/api/v1/invitations/")  # it belongs to who was invited
    answer = ask(get_user_model().objects.get(username="guest") if is_invitation else owner, method, path, house)
    if answer.status_code >= 300:
        said = answer.json()
        assert said["type"] == "validation_error" or said["errors"][0]["code"] in SAID_TO_THE_OWNER, said


@pytest.mark.parametrize(
    ("method", "path"),
    [
        one
        for one in WITH_IDS
        if one[0] != "GET" and one not in VIEWER_MAY | BODY_DECIDES and not one[1].startswith(OWN)
    ],
)
def test_a_viewer_gets_403_for_every_change(house, viewer, method, path):
    answer = ask(viewer, method, path, house)
    assert answer.status_code == 403, (answer.status_code, answer.content)


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_an_outsider_nothing(house, outsider, path):
    client = client_of(outsider)
    body = client.get(path).json()
    text = str(body)
    assert not any(value in text for kind, value in house.items() if kind not in ("row", "users"))  # short numbers
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


@pytest.mark.parametrize(
    "identifier", ["x", "1", "..", "%00", "0" * 32, str(uuid.uuid5(uuid.NAMESPACE_DNS, "nothing"))]
)
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
