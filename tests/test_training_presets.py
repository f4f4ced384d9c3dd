"""Presets, a budget of time, and what can be chosen before a training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import client_of
from tests.test_engine import TINY as TINY_NETWORK
from tests.test_engine import data, run  # noqa: F401 - a fixture
from tests.test_training_choices import small_phase
from tests.test_trainings import TINY, shapes, start  # noqa: F401 - a fixture
from training.data_warnings import seen_of
from training.models import TrainingRun
from vision.detection.configuration import DetectionConfiguration
from vision.engine import Eta
from vision.training.architectures import ARCHITECTURES
from vision.training.budget import Deadline, seconds_to_train, within_budget
from vision.training.configuration import Configuration
from vision.training.errors import ConfigurationError
from vision.training.expected import expected_classifier
from vision.training.hooks import TrainingHooks
from vision.training.resources import AGAIN_SECONDS, Estimate, estimated, export_seconds, measured
from vision.training.speeds import Speeds

pytestmark = pytest.mark.any_database("what a training may begin with")


def estimate(**seconds: float) -> Estimate:
    return Estimate(
        seconds=sum(seconds.values()), memory_bytes=1, disk_bytes=1, pixels="memory", seconds_by_phase=seconds
    )


def test_a_training_that_fits_its_budget_stays_as_it_is():
    wanted = estimate(decoding=5.0, training=50.0, export=5.0)
    assert within_budget(wanted, Configuration(epochs=20, max_minutes=1)) is wanted
    assert within_budget(wanted, Configuration(epochs=20)) is wanted


def test_a_budget_takes_epochs_away_and_leaves_decoding_and_export():
    shortened = within_budget(
        estimate(decoding=20.0, training=200.0, export=20.0), Configuration(epochs=50, max_minutes=2)
    )
    assert shortened.epochs == {"epochs": 20} and shortened.seconds <= 120
    assert shortened.seconds_by_phase == {"decoding": 20.0, "training": 80.0, "export": 20.0}
    assert "20 of 50 epochs" in shortened.warnings[-1]


def test_the_head_goes_before_fine_tuning_and_every_phase_keeps_an_epoch():
    configuration = Configuration(epochs=60, fine_tune_epochs=10, max_minutes=1)
    shortened = within_budget(estimate(head=30.0, fine_tuning=300.0), configuration)
    assert shortened.epochs == {"epochs": 60, "fine_tune_epochs": 1}
    nothing_left = within_budget(estimate(decoding=100.0, training=300.0), Configuration(epochs=30, max_minutes=1))
    assert nothing_left.epochs == {"epochs": 1} and "takes longer" in nothing_left.warnings[-1]


def speeds(step: float) -> Speeds:
    return Speeds("small_cnn scratch off", "2 cores", 64, 64, 32, 0.001, step, 33, 300_000, 900_000_000)


def test_a_head_that_is_solved_has_no_epochs_to_take_away():
    configuration = SimpleNamespace(epochs=1, fine_tune_epochs=10, max_minutes=1)
    shortened = within_budget(estimate(decoding=10.0, head=10.0, fine_tuning=100.0), configuration)
    assert shortened.epochs == {"fine_tune_epochs": 4} and shortened.seconds == 60
    alone = within_budget(estimate(decoding=50.0, head=50.0), configuration)
    assert alone.epochs == {} and alone.warnings[0].startswith("In 1 minute there is time for one epoch. Even so")


def test_a_busy_moment_takes_no_epochs_away():
    budget = Configuration(epochs=50, max_minutes=2)

    def expect(found: Speeds) -> Estimate:
        assert found.step is not None
        return within_budget(estimate(training=found.step), budget)

    rows = [speeds(seconds) for seconds in (6000.0, 480.0, 600.0, 100.0, 9999.0)]
    assert expect(rows[0]).epochs == {"epochs": 1}
    still = lambda: 0.0  # noqa: E731 - a clock
    calls = iter(rows)
    found = measured(lambda: next(calls), expect, still)
    assert not found.epochs and found.speeds == rows[3] and list(calls) == rows[4:]
    # What is slow all the time keeps the epochs of its fastest measurement.
    calls, moments = iter(rows), iter([0.0, 0.0, 1.0, 5.0, AGAIN_SECONDS])
    found = measured(lambda: next(calls), expect, lambda: next(moments))
    assert found.epochs == {"epochs": 12} and found.speeds == rows[1]
    # Nothing is measured twice where no epoch is taken away.
    calls = iter(rows[3:])
    assert not measured(lambda: next(calls), expect, still).epochs and len(list(calls)) == 1


def test_what_measuring_took_is_in_the_estimate_and_in_the_budget():
    moments = iter([0.0, 7.0])
    budget = Configuration(epochs=25, max_minutes=1).resolved()
    counts = {"train": 320, "validation": 40, "test": 40}
    found = measured(
        lambda: speeds(0.02), lambda row: expected_classifier(budget, counts, row, Path("/")), lambda: next(moments)
    )
    assert found.seconds_by_phase["preparing"] == 7.0 and found.speeds and found.speeds.preparing == 7.0
    others = sum(seconds for phase, seconds in found.seconds_by_phase.items() if phase != "training")
    assert seconds_to_train(found, budget) == pytest.approx(60 - others)


def test_the_time_left_forgets_how_a_phase_began():
    left = Eta()
    left.by_phase = {"training": 40.0, "export": 15.0}
    assert left.seconds("training", 1, 1000, now=0.0) == 55.0
    assert left.seconds("training", 2, 1000, now=50.0) > 10_000  # a slow first step
    for second in range(1, 101):
        said = left.seconds("training", 2 + 5 * second, 1000, now=50.0 + second)
    assert said == pytest.approx((1000 - 502) / 5 + 15, rel=0.05)


def test_while_a_training_prepares_what_is_left_is_what_comes_after():
    left = Eta()
    assert left.seconds("preparing", 0, 1, now=0.0) is None
    left.by_phase = {"decoding": 5.0, "training": 40.0, "export": 15.0}
    assert left.seconds("decoding", 10, 10, now=1.0) == 60.0
    assert left.seconds("preparing", 0, 1, now=2.0) == 55.0
    assert left.seconds("training", 0, 100, now=3.0) == 55.0


def test_the_files_of_a_small_network_take_seconds_and_those_of_a_large_one_more():
    assert export_seconds(layers=33, parameters=300_000) < 3
    assert 6 < export_seconds(layers=188, parameters=23_600_000) < 15


def test_a_resumed_training_knows_its_estimate(tmp_path):
    kept = estimate(decoding=1.0, head=10.0, fine_tuning=100.0, export=1.0)
    (tmp_path / "estimate.json").write_text(json.dumps(kept.to_dict()))
    heard: list[Estimate] = []
    assert estimated(tmp_path, None, pytest.fail, pytest.fail, TrainingHooks(), heard.append) == kept == heard[0]


def test_a_training_whose_network_was_measured_earlier_measures_nothing(tmp_path):
    kept, heard = estimate(decoding=1.0, head=10.0), []
    known = speeds(0.1)
    found = estimated(
        tmp_path, known, pytest.fail, lambda row: kept if row == known else None, TrainingHooks(), heard.append
    )
    assert found == kept and heard == [kept] and (tmp_path / "estimate.json").exists()


def test_a_deadline_counts_the_epochs_before_a_resume():
    history = [{"seconds": 10.0}, {"seconds": 10.0}]
    assert not Deadline(30.0).is_over(history) and Deadline(29.0).is_over(history)
    assert not Deadline().is_over(history) and not Deadline(1.0).is_over([])
    budget = SimpleNamespace(max_minutes=2.0)
    assert seconds_to_train(estimate(decoding=10.0, training=500.0, export=10.0), budget) == 100.0
    assert seconds_to_train(estimate(training=1.0), SimpleNamespace(max_minutes=0.0)) is None


def test_minutes_are_those_of_the_user_then_of_the_preset_unless_the_training_is_bounded_otherwise():
    def minutes(**settings: float) -> tuple:
        found = Configuration(preset="quick", **settings).resolved()
        again = found.resolved()
        assert again == found
        return found.minutes, found.max_minutes

    assert minutes() == (1, 1)
    assert minutes(minutes=5) == (5, 5) and minutes(minutes=0) == (0, 0)
    assert minutes(minutes=5, max_minutes=3) == (5, 3) and minutes(max_minutes=3) == (0, 3)
    assert minutes(epochs=7) == (0, 0) and minutes(epochs=7, minutes=5) == (5, 5)
    # A user who gives it an hour wants the hour used.
    usual, longer = (Configuration(minutes=given).resolved().epochs for given in (None, 60))
    assert longer == 2 * usual
    with pytest.raises(ConfigurationError, match="minutes must be between"):
        Configuration(minutes=-1).resolved()


def test_a_head_is_solved_where_nothing_is_set_that_only_epochs_have(monkeypatch, tmp_path):
    monkeypatch.setattr("vision.training.configuration.find_weights", lambda spec: tmp_path)

    def solver(**settings: object) -> tuple[str, int]:
        found = Configuration(architecture="mobilenet_v2", **settings).resolved()
        assert found.resolved() == found
        return found.head_solver, found.epochs

    assert solver() == solver(preset="quick") == solver(fine_tune=False) == ("lbfgs", 1)
    assert solver(epochs=9) == ("adamw", 9)
    changed = [{"learning_rate": 1e-3}, {"dropout": 0.4}, {"weights": "base"}, {"weights": "none"}]
    # Changed pixels have other features in each epoch; before fine-tuning the head sees unchanged ones.
    changed += [{"fine_tune": False, "augmentation": "light"}, {"fine_tune": False, "rotation": 0.1}]
    assert {solver(**settings)[0] for settings in changed} == {"adamw"}
    assert solver(fine_tune=True, augmentation="strong") == ("lbfgs", 1)


def test_presets_decide_what_is_left_open_and_nothing_else():
    by_preset = {name: Configuration(preset=name).resolved() for name in ("quick", "balanced", "best")}
    assert by_preset["quick"].epochs < by_preset["balanced"].epochs < by_preset["best"].epochs
    assert by_preset["balanced"] == Configuration().resolved()
    assert by_preset["best"].image_size > by_preset["quick"].image_size == 64
    own = Configuration(preset="best", epochs=7, image_size=32, early_stopping=0).resolved()
    assert (own.epochs, own.image_size, own.early_stopping) == (7, 32, 0)
    detector = {name: DetectionConfiguration(preset=name).resolved(500) for name in ("quick", "balanced", "best")}
    assert [one.epochs for one in detector.values()] == [12, 30, 60]
    assert [one.max_minutes for one in detector.values()] == [8, 30, 0]
    assert [one.max_minutes for one in by_preset.values()] == [1, 30, 0]
    assert detector["best"].image_size % 32 == 0
    for kind in (Configuration(preset="fast").resolved, lambda: DetectionConfiguration(preset="fast").resolved(9)):
        with pytest.raises(ConfigurationError, match="preset must be one of"):
            kind()


@pytest.mark.django_db
class TestOverHttp:
    def test_options_name_presets_and_settings_with_bounds(self, api, project):
        answer = api.get(f"/api/v1/trainings/options/?project={project.pk}")
        assert answer.status_code == 200, answer.content
        presets = {one["name"]: one for one in answer.json()["presets"]}
        assert list(presets) == ["quick", "balanced", "best"] and presets["balanced"]["is_default"]
        assert presets["quick"]["configuration"]["epochs"] < presets["best"]["configuration"]["epochs"]
        settings = {one["name"]: one for one in answer.json()["settings"]}
        assert (settings["dropout"]["minimum"], settings["dropout"]["maximum"]) == (0, 0.9)
        assert settings["augmentation"]["choices"] == ["auto", "none", "light", "strong"]
        assert all(one["help"] for one in settings.values()) and "anchor_sizes" not in settings
        assert settings["dropout"]["help"].startswith("Share of the features")

    def test_a_project_for_boxes_has_other_settings(self, api):
        boxes = api.post("/api/v1/projects/", {"name": "b", "task": "detection"}).json()["id"]
        settings = api.get(f"/api/v1/trainings/options/?project={boxes}").json()["settings"]
        names = [one["name"] for one in settings]
        assert "anchor_sizes" in names and "dropout" not in names

    @pytest.mark.parametrize("task", ["classification", "detection"])
    def test_a_form_offers_only_networks_of_its_task(self, api, task):
        made = api.post("/api/v1/projects/", {"name": task, "task": task}).json()["id"]
        settings = api.get(f"/api/v1/trainings/options/?project={made}").json()["settings"]
        (network,) = [one for one in settings if one["name"] == "architecture"]
        assert network["choices"] and {ARCHITECTURES[name].task for name in network["choices"]} == {task}
        assert "custom" not in network["choices"]  # its network cannot be given in a form

    def test_options_are_for_those_who_see_the_project(self, client, project, viewer, outsider, api):
        address = f"/api/v1/trainings/options/?project={project.pk}"
        assert client_of(viewer).get(address).status_code == 200
        assert client_of(outsider).get(address).status_code == 400
        assert client.get(address).status_code == 401
        assert api.get("/api/v1/trainings/options/").status_code == 400

    def test_a_preset_and_a_budget_are_kept_with_the_training(self, api, project, shapes):  # noqa: F811
        run = start(api, project, preset="quick", max_minutes=5).json()
        assert run["configuration"]["preset"] == "quick" and run["configuration"]["max_minutes"] == 5
        assert run["configuration"]["epochs"] == 10
        wrong = start(api, project, preset="fast")
        assert wrong.status_code == 400 and wrong.json()["errors"][0]["attr"] == "preset"
        assert start(api, project, max_minutes=0).status_code == 400

    def test_a_preflight_says_what_the_training_would_see(self, api, project, shapes):  # noqa: F811
        run = TrainingRun.objects.get(pk=start(api, project, **TINY).json()["id"])
        seen = seen_of(run.snapshot)
        assert sum(seen["images"].values()) == 32 and [one["name"] for one in seen["labels"]] == ["bad", "good"]
        assert all(one["train"] > one["test"] > 0 for one in seen["labels"])

    def test_trainings_are_narrowed_by_who_and_when(self, api, project, shapes, owner):  # noqa: F811
        run = start(api, project, name="Night shift", **TINY).json()
        address = f"/api/v1/trainings/?project={project.pk}"
        for query, count in (
            (f"created_by={owner.username}", 1),
            ("created_by=nobody", 0),
            ("name=night", 1),
            ("name=day", 0),
            ("created_after=2020-01-01T00:00:00Z", 1),
            ("created_before=2020-01-01T00:00:00Z", 0),
        ):
            assert len(api.get(f"{address}&{query}").json()["results"]) == count, query
        assert run["created_by"] == owner.username

    def test_a_training_without_a_model_names_none(self, api, project, shapes):  # noqa: F811
        run = start(api, project, **TINY).json()
        assert run["model_name"] is None
        assert api.get(f"/api/v1/trainings/?project={project.pk}").json()["results"][0]["model_name"] is None


@pytest.mark.slow
class TestWithKeras:
    def test_a_phase_ends_after_the_epoch_with_which_its_time_is_over(self, tmp_path):
        from vision.training.fitting import score_classifier
        from vision.training.hooks import TrainingHooks

        phase = small_phase(tmp_path, score_classifier, epochs=50, early_stopping=0)
        phase.deadline = Deadline(0.0)
        lines: list[str] = []
        assert phase.run(TrainingHooks(log=lines.append))["epochs"] == 1
        assert any("the time is over" in line for line in lines)

    def test_a_training_has_the_epochs_that_its_budget_left_also_after_a_resume(self, data, tmp_path):  # noqa: F811
        kept = replace(estimate(decoding=1.0, training=10.0, export=1.0), epochs={"epochs": 2})
        (tmp_path / "estimate.json").write_text(json.dumps(kept.to_dict()))
        result = run(replace(TINY_NETWORK, epochs=40, max_minutes=60.0), data, tmp_path)
        assert len(result.history) == 2 and result.configuration["epochs"] == 2
