"""What is refused before a training begins: bases that do not fit, roles, and the limits of every setting."""

from __future__ import annotations

import pytest

from datasets.models import Snapshot
from inference.models import Model
from jobs.models import WorkState
from projects.models import Membership, Role
from projects.services import create_project
from tests.conftest import client_of, make_user, upload
from tests.pictures import shape_jpeg
from tests.test_registry import make_model
from training.models import Search, TrainingRun
from training.options import settings_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a training may begin with")]


@pytest.fixture(scope="module")
def house(shared_rows, tmp_path_factory) -> dict:
    """A project with a snapshot of sixteen images of each label, and a model that was trained on it."""
    owner = make_user("owner")
    project = create_project(user=owner, name="Screws", task="classification")
    api = client_of(owner)
    dataset = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "photos"}).json()
    for label, kind in (("good", "disc"), ("bad", "cross")):
        assert api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": label}).status_code == 201
        upload(api, dataset, [(f"{kind}{n}.jpg", shape_jpeg(n, kind)) for n in range(16)], label=label)
    snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"]
    base = make_model(
        project, owner, tmp_path_factory.mktemp("house"), "base", snapshot=Snapshot.objects.get(pk=snapshot)
    )
    people = {"owner": owner, "outsider": make_user("outsider")}
    for role in (Role.EDITOR, Role.VIEWER):
        people[role] = make_user(role)
        Membership.objects.create(project=project, user=people[role], role=role)
    return {"project": project, "dataset": dataset, "snapshot": snapshot, "base": base, "people": people}


def start(house: dict, who: str = "owner", path: str = "trainings", **body):
    body = {"project": str(house["project"].pk), "snapshot": house["snapshot"], **body}
    return client_of(house["people"][who]).post(f"/api/v1/{path}/", body, format="json")


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def from_base(house: dict, **body):
    return start(house, base_model=str(house["base"].pk), **body)


# Starting from a model


def test_a_training_from_a_model_has_its_architecture_and_its_size(house):
    run = from_base(house).json()
    configuration = run["configuration"]
    assert (configuration["architecture"], configuration["image_size"], configuration["weights"]) == (
        "small_cnn",
        32,
        "base",
    )
    assert from_base(house, architecture="small_cnn", image_size=32).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"architecture": "resnet50"},
        {"image_size": 64},
        {"weights": "none"},
        {"weights": "imagenet"},
        {"anchor_sizes": [1.0, 2.0]},
        {"anchor_ratios": [1.0]},
    ],
)
def test_what_a_base_decides_cannot_be_chosen_otherwise(house, body):
    answer = from_base(house, **body)
    assert (answer.status_code, code_of(answer)) == (400, "base_model_does_not_fit"), answer.content
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "detection"}, "is for detection"),
        ({"architecture": "of another studio"}, "cannot be trained here"),
        ({"input_height": 48}, "square input"),
    ],
)
def test_a_model_that_cannot_be_a_base_says_why(house, change, said):
    Model.objects.filter(pk=house["base"].pk).update(**change)
    answer = from_base(house)
    assert (answer.status_code, code_of(answer)) == (400, "base_model_does_not_fit")
    assert said in answer.json()["errors"][0]["detail"]


def test_a_base_of_another_project_is_none_until_it_is_public(house, tmp_path):
    stranger = house["people"]["outsider"]
    other = create_project(user=stranger, name="other", task="classification")
    theirs = make_model(other, stranger, tmp_path, "theirs")
    answer = start(house, base_model=str(theirs.pk))
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "base_model")
    Model.objects.filter(pk=theirs.pk).update(visibility="public")
    assert start(house, base_model=str(theirs.pk)).status_code == 201


# Trying again


def ended(house: dict, state: WorkState, **fields) -> str:
    run = from_base(house).json()["id"]
    TrainingRun.objects.filter(pk=run).update(state=state, **fields)
    return run


@pytest.mark.parametrize("state", WorkState.values)
def test_only_what_failed_or_was_cancelled_is_trained_again(house, state):
    answer = client_of(house["people"]["owner"]).post(f"/api/v1/trainings/{ended(house, state)}/retry/")
    if state in (WorkState.FAILED, WorkState.CANCELLED):
        assert answer.status_code == 201 and TrainingRun.objects.count() == 2
        again = TrainingRun.objects.latest("id")
        assert again.state == WorkState.QUEUED and again.configuration["weights"] == "base"
    else:
        assert (answer.status_code, code_of(answer)) == (409, "not_retryable") and TrainingRun.objects.count() == 1


def test_a_training_whose_base_was_deleted_is_not_tried_again(house):
    run = ended(house, WorkState.FAILED, base_model=None)
    answer = client_of(house["people"]["owner"]).post(f"/api/v1/trainings/{run}/retry/")
    assert (answer.status_code, code_of(answer)) == (400, "base_model_deleted")
    assert "base v" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("state", "status"), [("queued", 409), ("running", 409), ("succeeded", 204), ("failed", 204), ("cancelled", 204)]
)
def test_only_a_training_that_has_ended_is_deleted(house, state, status):
    run = ended(house, state)
    answer = client_of(house["people"]["owner"]).delete(f"/api/v1/trainings/{run}/")
    assert answer.status_code == status and TrainingRun.objects.exists() == (status == 409)
    if status == 409:
        assert code_of(answer) == "still_running"


# Who may


SPACE = {"learning_rate": [0.001, 0.01]}


@pytest.mark.parametrize(
    ("path", "body"),
    [("trainings", {}), ("trainings/preflight", {}), ("searches", {"space": SPACE, "max_runs": 3})],
)
@pytest.mark.parametrize(("who", "status"), [("owner", 0), ("editor", 0), ("viewer", 403), ("outsider", 400)])
def test_editors_train_and_viewers_look(house, path, body, who, status):
    answer = start(house, who, path, **body)
    assert answer.status_code == status if status else answer.status_code in (201, 202), answer.content
    assert bool(TrainingRun.objects.exists() or Search.objects.exists() or answer.status_code == 202) == (not status)


@pytest.mark.parametrize("action", ["cancel", "retry"])
@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("outsider", 404)])
def test_a_training_of_others_is_not_touched(house, action, who, status):
    run = ended(house, WorkState.QUEUED if action == "cancel" else WorkState.FAILED)
    before = TrainingRun.objects.values().get()
    assert client_of(house["people"][who]).post(f"/api/v1/trainings/{run}/{action}/").status_code == status
    assert client_of(house["people"][who]).delete(f"/api/v1/trainings/{run}/").status_code == status
    assert TrainingRun.objects.values().get() == before


# Settings


SETTINGS = {row["name"]: row for row in settings_of("classification")}
BOUNDED = [
    (row["name"], row[side], step)
    for row in SETTINGS.values()
    if row["kind"] in ("integer", "number")
    for side, step in (("minimum", -1), ("maximum", 1))
    if row[side] is not None
]


@pytest.mark.parametrize(("name", "bound", "step"), BOUNDED)
def test_a_setting_may_be_at_its_bound_and_not_beyond(house, name, bound, step):
    is_whole = SETTINGS[name]["kind"] == "integer"
    beyond = bound + step * (1 if is_whole else max(abs(bound), 1e-6) * 0.01)
    refused = start(house, **{name: beyond})
    assert refused.status_code == 400
    assert (name, "min_value" if step < 0 else "max_value") in [
        (one["attr"], one["code"]) for one in refused.json()["errors"]
    ]
    taken = start(house, **{name: bound})
    assert name not in [one["attr"] for one in taken.json().get("errors", [])], taken.content


@pytest.mark.parametrize("name", [row["name"] for row in SETTINGS.values() if row["kind"] in ("integer", "number")])
@pytest.mark.parametrize("value", [True, "many", [], {}, None])
def test_a_setting_that_is_a_number_takes_nothing_else(house, name, value):
    answer = start(house, **{name: value})
    if answer.status_code == 201:  # null leaves some to the studio
        assert value is None and TrainingRun.objects.get().configuration[name] is not None
        return
    assert name in [one["attr"].split(".")[0] for one in answer.json()["errors"]]


def test_what_a_form_offers_is_what_is_taken(house):
    for row in SETTINGS.values():
        for choice in row["choices"]:
            answer = start(house, **{row["name"]: choice})
            if answer.status_code == 400:  # of weights that are not on this machine
                assert code_of(answer) == "weights_not_available", answer.content


def test_a_snapshot_without_its_images_trains_nothing(house):
    Snapshot.objects.filter(pk=house["snapshot"]).update(dataset=None)
    answer = start(house)
    assert (answer.status_code, code_of(answer)) == (409, "snapshot_without_images")
    assert not TrainingRun.objects.exists()
