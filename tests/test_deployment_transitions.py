"""Deployments and devices at their edges: each action in each state, roles, limits of reports, names in refusals."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient
from scipy import stats

from edge.alarms import silent_after
from edge.assignments import SHARES, share_of, wanted_count
from edge.models import Deployment, DeploymentState, Device, EnrolmentCode
from edge.rollouts import is_failing, needed_reports
from projects.services import create_project
from tests.conftest import client_of
from tests.pictures import jpeg
from tests.test_edge import add_device, deploy, fresh_keys, group, models  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what is done in which state")]


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def put_in(state: str, api, group, models) -> dict:  # noqa: F811
    """A deployment of one device in this state, by what an editor does."""
    deployment = deploy(api, group, models[0], steps=[50, 100])
    path = f"/api/v1/deployments/{deployment['id']}"
    steps = {
        "rolling": [],
        "stopped": [("stop", {})],
        "completed": [("advance", {"force": True})] * 2,
        "rolled_back": [("rollback", {"force": True})],
    }
    for action, body in steps.get(state, []):
        assert api.post(f"{path}/{action}/", body, format="json").status_code == 200
    if state == "replaced":
        deploy(api, group, models[1])
    assert api.get(f"{path}/").json()["state"] == state
    return deployment


# Action → the states in which it is done; the transitions of the model's docstring.
DONE_IN = {
    "advance": {"rolling"},
    "stop": {"rolling"},
    "resume": {"stopped"},
    "rollback": {"rolling", "stopped", "completed"},
}


@pytest.mark.parametrize("state", DeploymentState.values)
@pytest.mark.parametrize("action", DONE_IN)
def test_an_action_is_done_in_its_states_and_changes_nothing_in_others(api, project, group, models, state, action):  # noqa: F811
    add_device(api, project, group)
    deployment = put_in(state, api, group, models)
    path = f"/api/v1/deployments/{deployment['id']}/"
    before = api.get(path).json()
    body = {} if action == "resume" else {"note": "by hand"} if action == "stop" else {"force": True}
    answer = api.post(f"{path}{action}/", body, format="json")
    if state in DONE_IN[action]:
        assert answer.status_code == 200, answer.content
        return
    assert (answer.status_code, code_of(answer)) == (409, "deployment_conflict")
    assert api.get(path).json() == before


@pytest.mark.parametrize("action", ["advance", "stop", "resume", "rollback"])
def test_a_viewer_cannot_touch_a_deployment(api, project, group, models, viewer, action):  # noqa: F811
    deployment = put_in("stopped" if action == "resume" else "rolling", api, group, models)
    path = f"/api/v1/deployments/{deployment['id']}/"
    assert client_of(viewer).get(path).status_code == 200
    answer = client_of(viewer).post(f"{path}{action}/", {}, format="json")
    assert (answer.status_code, code_of(answer)) == (403, "permission_denied")
    assert api.get(path).json()["state"] == ("stopped" if action == "resume" else "rolling")


@pytest.mark.parametrize("action", ["rotate-key", "revoke"])
def test_a_viewer_cannot_take_a_device_its_key(api, project, group, viewer, action):  # noqa: F811
    gadget = add_device(api, project, group)
    assert client_of(viewer).post(f"/api/v1/devices/{gadget.device}/{action}/").status_code == 403
    assert gadget.manifest().status_code == 200


@pytest.mark.parametrize("name", ["device-groups", "devices", "enrolment-codes"])
def test_a_viewer_sees_devices_and_deletes_none(api, project, group, viewer, name):  # noqa: F811
    add_device(api, project, group)
    api.post("/api/v1/enrolment-codes/", {"project": str(project.pk)})
    (row, *_) = client_of(viewer).get(f"/api/v1/{name}/").json()["results"]
    assert client_of(viewer).delete(f"/api/v1/{name}/{row['id']}/").status_code == 403
    body = {"project": str(project.pk)} | ({} if name == "enrolment-codes" else {"name": "x"})
    assert client_of(viewer).post(f"/api/v1/{name}/", body).status_code == 403
    assert api.get(f"/api/v1/{name}/{row['id']}/").status_code == 200


# Limits of what is asked


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"steps": [0, 100]}, "min_value"),
        ({"steps": [101]}, "max_value"),
        ({"steps": [50]}, "invalid"),
        ({"steps": [50, 50, 100]}, "invalid"),
        ({"steps": list(range(80, 101))}, "max_length"),
        ({"step_minutes": -1}, "min_value"),
        ({"step_minutes": 100_001}, "max_value"),
        ({"largest_failure_rate": 1.01}, "max_value"),
        ({"largest_failure_rate": True}, "invalid"),
        ({"least_reports": 0}, "min_value"),
        ({"model": None}, "required"),
        ({"percent": 5}, "read_only"),
        ({"forced": True}, "unknown_field"),
    ],
)
def test_a_deployment_outside_of_its_limits_is_refused(api, group, models, change, code):  # noqa: F811
    body = {"group": group["id"], "model": str(models[0].pk), **change}
    answer = api.post("/api/v1/deployments/", body, format="json")
    if code == "read_only":  # it is answered, not asked for
        assert answer.status_code == 201 and answer.json()["percent"] == 100
        return
    assert (answer.status_code, code_of(answer)) == (400, code), answer.content
    assert not Deployment.objects.exists()


def test_steps_at_their_limits_are_taken(api, group, models):  # noqa: F811
    steps = [*range(1, 20), 100]
    made = deploy(api, group, models[0], steps=steps, step_minutes=0, largest_failure_rate=1, least_reports=100_000)
    assert (made["steps"], made["percent"]) == (steps, 1)


def test_an_empty_list_of_steps_is_all_at_once(api, group, models):  # noqa: F811
    assert deploy(api, group, models[0], steps=[])["steps"] == [100]


@pytest.mark.parametrize("name", ["detection", "classification"])
def test_a_model_of_another_task_is_not_for_the_group(api, owner, models, name):  # noqa: F811
    other = create_project(user=owner, name="other", task=name)
    theirs = api.post("/api/v1/device-groups/", {"project": str(other.pk), "name": "g"}).json()
    answer = api.post("/api/v1/deployments/", {"group": theirs["id"], "model": str(models[0].pk)})
    assert answer.status_code == (400 if name == "detection" else 201)
    if name == "detection":
        assert answer.json()["errors"][0]["attr"] == "model"


@pytest.mark.parametrize(("uses", "status"), [(0, 400), (1, 201), (100_000, 201), (100_001, 400)])
def test_a_code_has_so_many_uses(api, project, uses, status):
    answer = api.post("/api/v1/enrolment-codes/", {"project": str(project.pk), "uses": uses})
    assert answer.status_code == status and EnrolmentCode.objects.count() == (status == 201)


@pytest.mark.parametrize(("hours", "status"), [(0.09, 400), (0.1, 201), (8760, 201), (8761, 400), ("NaN", 400)])
def test_a_code_lasts_a_year_at_most(api, project, hours, status):
    answer = api.post("/api/v1/enrolment-codes/", {"project": str(project.pk), "hours": hours})
    assert answer.status_code == status
    if status == 201:
        lasts = EnrolmentCode.objects.get().expires_at - timezone.now()
        assert abs(lasts - timedelta(hours=hours)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "said",
    [
        {"predictions": -1},
        {"predictions": 10**9 + 1},
        {"errors": -1},
        {"latency_ms": -0.1},
        {"latency_ms": 1e10},
        {"health": "great"},
        {"problem": "x" * 501},
        {"agent_version": "x" * 51},
        {"deployment": "none"},
        {"platform": {"a": "x" * 201}},
        {"platform": {f"{number:04}": "x" * 190 for number in range(20)}},
        {"platform": ["a"]},
    ],
)
def test_a_report_outside_of_its_limits_is_refused_and_kept_by_nobody(api, project, group, said):  # noqa: F811
    gadget = add_device(api, project, group)
    answer = gadget.client.post("/edge/v1/heartbeat/", said, format="json")
    assert answer.status_code == 400, answer.content
    row = Device.objects.get()
    assert (row.last_seen, row.predictions, row.errors, row.platform) == (None, 0, 0, {})


def test_reports_add_up_and_a_platform_that_is_left_out_stays(api, project, group):  # noqa: F811
    gadget = add_device(api, project, group)
    gadget.report(predictions=10**9, errors=1, platform={"os": "linux"}, latency_ms=1e9, problem="x" * 500)
    gadget.report(predictions=10**9, errors=0)
    row = Device.objects.get()
    assert (row.predictions, row.errors, row.platform, row.problem) == (2 * 10**9, 1, {"os": "linux"}, "")


def test_a_deployment_of_another_project_is_none_that_a_device_runs(api, owner, project, group, models, tmp_path):  # noqa: F811
    mine = deploy(api, group, models[0])
    other = create_project(user=owner, name="other", task="classification")
    theirs = api.post("/api/v1/device-groups/", {"project": str(other.pk), "name": "g"}).json()
    gadget = add_device(api, other, theirs)
    gadget.report(deployment=mine["id"], health="failed")
    assert Device.objects.get().running is None
    assert api.get(f"/api/v1/deployments/{mine['id']}/").json()["reports"] == {
        "assigned": 0,
        "told": 0,
        "reported": 0,
        "failed": 0,
    }


@pytest.mark.parametrize(
    "header", ["Device", "Device a b", "Device ", "Device msd_unknown", "Device \xff\xfe", "Token msd_unknown", ""]
)
def test_a_key_that_is_none_opens_nothing(api, project, group, header):  # noqa: F811
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=header)
    for method, path in (("get", "manifest"), ("get", "keys"), ("post", "heartbeat"), ("post", "images")):
        answer = getattr(client, method)(f"/edge/v1/{path}/")
        assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Device"


def test_a_share_that_is_used_up_has_a_code_of_its_own(api, project, group, settings):  # noqa: F811
    settings.EDGE_IMAGES_PER_DAY = 1
    gadget = add_device(api, project, group)
    answers = [
        gadget.client.post("/edge/v1/images/", {"file": SimpleUploadedFile("a.jpg", jpeg(number))}, format="multipart")
        for number in range(2)
    ]
    assert answers[0].status_code == 201
    answer = answers[1]
    assert (answer.status_code, code_of(answer)) == (429, "feedback_quota_used")


@pytest.mark.parametrize(
    ("count", "ends"), [(1, "d0 runs a model"), (2, "d0, d1 run a model"), (6, "d4 and others run")]
)
def test_a_group_in_use_names_a_few_of_its_devices(api, project, group, models, count, ends):  # noqa: F811
    for number in range(count):
        add_device(api, project, group, f"d{number}")
    deploy(api, group, models[0])
    answer = api.delete(f"/api/v1/device-groups/{group['id']}/")
    assert (answer.status_code, code_of(answer)) == (409, "group_in_use")
    assert ends in answer.json()["errors"][0]["detail"] and "d5" not in answer.json()["errors"][0]["detail"]


def test_revoking_twice_is_revoking_once_and_rotating_brings_it_back(api, project, group, models):  # noqa: F811
    gadget = add_device(api, project, group)
    deploy(api, group, models[0])
    path = f"/api/v1/devices/{gadget.device}"
    for _ in range(2):
        assert api.post(f"{path}/revoke/").json()["revoked_at"] is not None
        assert gadget.manifest().status_code == 401
    key = api.post(f"{path}/rotate-key/").json()["key"]
    gadget.client.credentials(HTTP_AUTHORIZATION=f"Device {key}")
    assert gadget.payload()["model"]["name"] == "first"


# Rules in figures


@pytest.mark.parametrize(
    ("health", "predictions", "errors", "fails"),
    [
        ("ok", 9, 9, False),
        ("ok", 10, 2, False),
        ("ok", 10, 3, True),
        ("ok", 0, 0, False),
        ("failed", 0, 0, True),
        ("unknown", 1000, 200, False),
        ("unknown", 1000, 201, True),
    ],
)
def test_a_device_fails_above_a_fifth_of_ten_or_more(health, predictions, errors, fails):
    assert is_failing(health, predictions, errors) is fails


@given(st.integers(0, 10**5), st.integers(0, 10**5))
def test_a_step_never_waits_for_more_reports_than_it_has_devices(least, devices):
    needed = needed_reports(Deployment(least_reports=least), devices)
    assert needed == (0 if devices == 0 else min(max(least, 1), devices))


@given(st.integers(0, 2000), st.lists(st.integers(1, 100), min_size=2, max_size=2).map(sorted))
def test_a_larger_step_reaches_no_fewer_devices(devices, steps):
    first, second = (wanted_count(Deployment(steps=[percent], step=0), devices) for percent in steps)
    assert min(devices, 1) <= first <= second <= devices
    assert abs(first - devices * steps[0] / 100) < 1 or first == 1
    assert second == devices or steps[1] < 100


def test_devices_take_turns_evenly_and_others_go_first_in_the_next_deployment():
    devices, deployments = [UUID(int=n) for n in range(400)], [UUID(int=n) for n in (1, 2)]
    first, second = ([share_of(device, deployment) for device in devices] for deployment in deployments)
    for shares in (first, second):
        assert min(shares) >= 0 and max(shares) < SHARES
        assert stats.kstest(np.array(shares) / SHARES, "uniform").pvalue > 0.01
    assert abs(stats.spearmanr(first, second).statistic) < 0.2


def test_a_device_is_silent_after_three_polls_and_four_minutes():
    assert silent_after(60) == timedelta(minutes=7)
    assert silent_after(10) == timedelta(seconds=270)
