"""Roll-outs: no device that has a model loses it, whatever becomes of deployments, groups and devices."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.utils import timezone

from edge import rollouts
from edge.models import Deployment, Device
from tests.test_edge import Gadget, add_device, deploy, fresh_keys, group, models  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(api, project, group) -> list[Gadget]:  # noqa: F811
    return [add_device(api, project, group, f"d{number}") for number in range(5)]


def names(gadgets) -> list[str | None]:
    """The model that each device is told to run."""
    return [(gadget.payload()["model"] or {"name": None})["name"] for gadget in gadgets]


def post(api, deployment: dict, step: str, **body):
    return api.post(f"/api/v1/deployments/{deployment['id']}/{step}/", body, format="json")


def report_all(fleet, deployment: dict, **said) -> None:
    for gadget in fleet:
        if gadget.payload()["deployment"] == deployment["id"]:
            gadget.report(deployment=deployment["id"], **said)


class TestSteps:
    def test_a_second_deployment_while_the_first_still_rolls(self, api, fleet, group, models):  # noqa: F811
        first = deploy(api, group, models[0])
        assert names(fleet) == ["first"] * 5 and first["state"] == "rolling"
        second = deploy(api, group, models[1], steps=[20, 100])
        assert second["previous"] == first["id"]
        assert sorted(names(fleet)) == ["first"] * 4 + ["second"]
        assert post(api, second, "rollback").status_code == 200
        assert names(fleet) == ["first"] * 5

    def test_three_at_once_and_back_again(self, api, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        second = deploy(api, group, models[1], steps=[40, 100])
        before = names(fleet)
        third = deploy(api, group, models[2], steps=[20, 100])
        during = names(fleet)
        assert sorted(before) == ["first"] * 3 + ["second"] * 2 and during.count("third") == 1
        assert all(now in ("third", was) for now, was in zip(during, before, strict=True))
        assert post(api, third, "rollback").status_code == 200
        assert names(fleet) == before
        # What had reached two of five devices waits for somebody to decide.
        again = api.get(f"/api/v1/deployments/?group={group['id']}").json()["results"][0]
        assert (again["state"], again["percent"], again["reports"]["assigned"]) == ("stopped", 40, 2)
        assert post(api, again, "rollback").status_code == 200 and second
        assert names(fleet) == ["first"] * 5

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_a_step_holds_one_device_at_least(self, api, project, group, models, count):  # noqa: F811
        gadgets = [add_device(api, project, group, f"d{number}") for number in range(count)]
        deploy(api, group, models[0])
        second = deploy(api, group, models[1], steps=[5, 100])
        assert names(gadgets).count("second") == 1 and second["reports"]["assigned"] == 1

    def test_a_device_that_leaves_its_step_is_replaced(self, api, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        second = deploy(api, group, models[1], steps=[20, 100])
        told = next(gadget for gadget in fleet if gadget.payload()["deployment"] == second["id"])
        api.post(f"/api/v1/devices/{told.device}/revoke/")
        rollouts.look_after_all()
        assert sorted(names(gadget for gadget in fleet if gadget is not told)) == ["first"] * 3 + ["second"]

    def test_a_step_that_has_not_reported_is_passed_with_force_only(self, api, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        second = deploy(api, group, models[1], steps=[40, 80, 100], least_reports=2)
        refused = post(api, second, "advance")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "step_not_reported")
        assert "0 of 2 devices" in refused.json()["errors"][0]["detail"]
        report_all(fleet, second)
        assert post(api, second, "advance").json()["percent"] == 80
        assert post(api, second, "advance").status_code == 200  # two have reported, as wanted
        third = deploy(api, group, models[2], steps=[40, 100])
        assert post(api, third, "advance", force=True).json()["percent"] == 100

    def test_it_is_complete_when_its_devices_reported_well(self, api, fleet, group, models):  # noqa: F811
        first = deploy(api, group, models[0], step_minutes=10_000)
        report_all(fleet[:4], first)
        assert rollouts.look_after_all() == 1
        report_all(fleet[4:], first)
        assert rollouts.look_after_all() == 0
        assert api.get(f"/api/v1/deployments/{first['id']}/").json()["state"] == "completed"

    def test_a_fault_of_one_rollout_keeps_no_other_waiting(self, api, project, group, models, monkeypatch):  # noqa: F811
        other = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "hall"}).json()
        made = [deploy(api, one, models[0], step_minutes=0) for one in (group, other)]
        for one, deployment in zip((group, other), made, strict=True):
            add_device(api, project, one).report(deployment=deployment["id"])
        look = rollouts._locked

        def broken(deployment):
            if str(deployment.pk) == made[0]["id"]:
                raise RuntimeError("a damaged row")
            return look(deployment)

        monkeypatch.setattr(rollouts, "_locked", broken)
        rollouts.look_after_all()
        assert Deployment.objects.get(pk=made[1]["id"]).state == "completed"


class TestDevicesThatComeAndGo:
    def test_a_newcomer_gets_what_all_run_while_a_step_is_full(self, api, project, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        second = deploy(api, group, models[1], steps=[20, 100])
        newcomer = add_device(api, project, group, "new")
        assert names([newcomer]) == ["first"]
        for _ in range(2):
            post(api, second, "advance", force=True)
        assert names([newcomer, add_device(api, project, group, "newer")]) == ["second"] * 2

    def test_a_stopped_rollout_takes_no_newcomers(self, api, project, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        second = deploy(api, group, models[1])
        post(api, second, "stop")
        assert names([add_device(api, project, group, "new")]) == ["first"]
        assert names(fleet) == ["second"] * 5

    def test_one_that_moves_keeps_its_model_until_there_is_another(self, api, project, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        deploy(api, group, models[1])
        gadget, seen = fleet[0], [fleet[0].payload()["sequence"]]
        other = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "hall"}).json()
        for target in (other["id"], None, other["id"]):
            assert api.patch(f"/api/v1/devices/{gadget.device}/", {"group": target}, format="json").status_code == 200
            assert names([gadget]) == ["second"]
            seen.append(gadget.payload()["sequence"])
        third = deploy(api, other, models[2])
        seen.append(gadget.payload()["sequence"])
        assert names([gadget]) == ["third"] and seen == sorted(set(seen))
        gadget.report(deployment=third["id"])
        moved = api.get(f"/api/v1/devices/{gadget.device}/").json()
        assert (moved["target_model"], moved["running_model"]) == ("third v3 (litert-float32)",) * 2

    def test_a_group_whose_model_runs_somewhere_is_not_deleted(self, api, project, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        for gadget in fleet:
            api.patch(f"/api/v1/devices/{gadget.device}/", {"group": None}, format="json")
        refused = api.delete(f"/api/v1/device-groups/{group['id']}/")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "group_in_use")
        assert refused.json()["errors"][0]["detail"].startswith("d0, d1, d2, d3, d4 ")
        assert names(fleet) == ["first"] * 5
        Device.objects.update(revoked_at=timezone.now())
        assert api.delete(f"/api/v1/device-groups/{group['id']}/").status_code == 204

    def test_the_file_of_a_device_outside_of_the_step_can_be_fetched(self, api, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        deploy(api, group, models[1], steps=[20, 100])
        deploy(api, group, models[2], steps=[20, 100])
        for gadget in fleet:
            sha256 = gadget.payload()["file"]["sha256"]
            assert gadget.client.get(f"/edge/v1/files/{sha256}/").status_code == 200

    def test_a_model_that_a_device_outside_of_the_step_runs_is_kept(self, api, fleet, group, models):  # noqa: F811
        deploy(api, group, models[0])
        deploy(api, group, models[1], steps=[20, 100])
        deploy(api, group, models[2], steps=[20, 100])
        assert "first" in names(fleet)
        answer = api.delete(f"/api/v1/models/{models[0].pk}/")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "model_in_use")


def test_a_new_device_knows_the_interval_of_its_group(api, project, group):  # noqa: F811
    code = api.post("/api/v1/enrolment-codes/", {"project": str(project.pk), "group": group["id"]}).json()["code"]
    enrolled = api.post("/edge/v1/enrol/", {"code": code, "name": "pi"}).json()
    assert enrolled["poll_seconds"] == 30
    gadget = Gadget(enrolled["device"], enrolled["key"])
    assert gadget.payload()["settings"]["poll_seconds"] == 30 and gadget.report()["poll_seconds"] == 30


def test_devices_of_earlier_versions_keep_what_they_run(api, fleet, group, models):  # noqa: F811
    first = deploy(api, group, models[0])
    report_all(fleet, first)
    Deployment.objects.update(step_started_at=timezone.now() - timedelta(days=1))
    second = deploy(api, group, models[1], steps=[20, 100])
    # As an earlier version left it: nothing but what devices reported, and a deployment without one before it.
    Device.objects.update(target=None, previous_target=None)
    Deployment.objects.filter(pk=second["id"]).update(previous=None)
    fill = import_module("edge.migrations.0003_fill_targets").fill_targets
    fill(SimpleNamespace(get_model=apps.get_model), None)
    assert set(names(fleet)) <= {"first", "second"}
