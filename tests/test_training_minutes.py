"""Trainings that are given a time: what was measured of networks, and what is chosen for the minutes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.models import Job, WorkState
from jobs.services import run_job
from tests.test_trainings import shapes, start  # noqa: F401 - a fixture
from training.models import TrainingRun
from training.speeds import keep_speeds, known_speeds, learn_speeds, speed_file
from vision.detection.configuration import DetectionConfiguration
from vision.detection.minutes import ENOUGH_VIEWS, fit_detector
from vision.training.configuration import Configuration
from vision.training.minutes import FEWEST, fit_classifier
from vision.training.speeds import KEPT_PER_NETWORK, SpeedFile, Speeds, machine_name, network_of

pytestmark = pytest.mark.any_database("what a training may begin with")
HERE = Path("/")
CNN = "small_cnn scratch auto"


def speeds(**changes: object) -> Speeds:
    row = Speeds(CNN, machine_name(), 64, 64, 32, 0.001, 0.1, 33, 300_000, 900_000_000, 3.0)
    return replace(row, **changes)  # type: ignore[arg-type]


class TestSpeedFile:
    def test_a_measurement_is_found_exactly_and_scaled_by_pixels(self, tmp_path):
        file = SpeedFile(tmp_path / "deep" / "speeds.json")
        assert file.about(CNN, 64, 64, 32) is None
        file.add(speeds())
        assert file.exactly(CNN, 64, 64, 32) == speeds()
        assert file.exactly(CNN, 64, 64, 16) is None and file.exactly("other", 64, 64, 32) is None
        larger = file.about(CNN, 128, 128, 16)
        assert larger is not None
        assert (larger.forward, larger.step) == pytest.approx((0.004, 0.2))
        assert larger.memory_bytes == 700_000_000 + 4 * 200_000_000
        assert file.about(CNN, 640, 640, 32) is None  # a hundred times as many pixels

    def test_the_fastest_of_the_newest_counts(self, tmp_path):
        file = SpeedFile(tmp_path / "speeds.json")
        for step in (0.01, *[0.2 + number / 100 for number in range(KEPT_PER_NETWORK)]):
            file.add(speeds(step=step))
        found = file.exactly(CNN, 64, 64, 32)
        assert found is not None and found.step == 0.2

    def test_another_machine_and_a_damaged_file_are_as_good_as_nothing(self, tmp_path):
        file = SpeedFile(tmp_path / "speeds.json")
        file.path.write_text(json.dumps([speeds(machine="999 cores").to_dict()]))
        assert file.about(CNN, 64, 64, 32) is None
        for content in ("", "{", "[1]", "null", json.dumps([{"network": 1}])):
            file.path.write_text(content)
            assert file.about(CNN, 64, 64, 32) is None
        file.add(speeds())
        assert file.exactly(CNN, 64, 64, 32) == speeds()

    def test_after_a_graphics_card_came_what_the_processor_took_counts_no_more(self, tmp_path):
        file = SpeedFile(tmp_path / "speeds.json")
        file.add(speeds())
        file.add(speeds(machine=machine_name(["Card"]), step=0.001))
        found = file.exactly(CNN, 64, 64, 32)
        assert found is not None and found.step == 0.001

    def test_networks_outside_of_the_catalogue_are_not_kept(self):
        assert network_of(Configuration(architecture="custom")) is None
        assert network_of(Configuration(weights="base")) is None


class TestClassifier:
    COUNTS = {"train": 3200, "validation": 400, "test": 400}

    def fit(self, step: float, **settings: object) -> Configuration:
        def speeds_of(candidate: Configuration) -> Speeds:
            size = candidate.image_size
            return speeds(step=step).at(size, size, 32)

        return fit_classifier(Configuration(**settings), self.COUNTS, speeds_of, HERE)  # type: ignore[arg-type]

    def test_without_minutes_or_with_enough_of_them_everything_is_as_usual(self):
        for settings in ({"minutes": 0}, {"epochs": 9}, {"preset": "best"}, {"minutes": 10_000}):
            assert self.fit(1.0, **settings) == Configuration(**settings).resolved()  # type: ignore[arg-type]

    def test_what_is_too_slow_gets_a_smaller_input(self):
        # 100 steps an epoch: at 64 px an epoch takes 30 s, at 32 px a quarter of it.
        assert self.fit(0.3, minutes=10).image_size == 64
        assert self.fit(0.3, minutes=2).image_size == 32
        assert self.fit(0.3, minutes=2, image_size=128).image_size == 128

    def test_of_a_pretrained_network_first_the_backbone_stays_as_it_is(self, monkeypatch):
        monkeypatch.setattr("vision.training.configuration.find_weights", lambda spec: HERE)
        usual = Configuration(architecture="mobilenet_v2").resolved()
        assert usual.fine_tune
        base = speeds(height=160, width=160, forward=0.005, step=0.5)

        def fit(minutes: float) -> Configuration:
            configuration = Configuration(architecture="mobilenet_v2", minutes=minutes)
            return fit_classifier(
                configuration, self.COUNTS, lambda other: base.at(other.image_size, other.image_size, 32), HERE
            )

        assert fit(30).fine_tune and fit(30).image_size == 160
        assert not fit(2).fine_tune and fit(2).image_size == 160 and fit(2).augmentation == "none"
        assert not fit(0.5).fine_tune and fit(0.5).image_size < 160
        assert FEWEST["fine_tuning"] > 1

    def test_where_nothing_was_measured_the_usual_is_taken(self):
        wanted = Configuration(minutes=1)
        assert fit_classifier(wanted, self.COUNTS, lambda other: None, HERE) == wanted.resolved()


def test_a_detector_gets_the_largest_input_at_which_enough_images_are_seen():
    counts = {"train": 200, "validation": 50, "test": 50}
    base = speeds(height=320, width=320, batch=4, step=1.2, forward=0.1)

    def fit(minutes: float | None, **settings: object) -> DetectionConfiguration:
        configuration = DetectionConfiguration(minutes=minutes, **settings)  # type: ignore[arg-type]
        return fit_detector(configuration, counts, lambda other: base.at(other.image_size, other.image_size, 4), HERE)

    # 0.3 s an image at 320 px: 6,000 of them take half an hour.
    assert ENOUGH_VIEWS["none"] == 6000
    assert fit(60).image_size == 320 and fit(8).image_size == 256
    assert fit(8, image_size=416).image_size == 416
    assert fit(0).image_size == 320 and fit(8).max_minutes == 8


@pytest.mark.django_db
class TestOverHttp:
    def test_an_estimate_of_what_was_measured_needs_no_engine(self, api, project, shapes, monkeypatch):  # noqa: F811
        settings = {"architecture": "small_cnn", "image_size": 32, "epochs": 3, "batch_size": 8}
        run = TrainingRun.objects.get(pk=start(api, project, **settings).json()["id"])
        keep_speeds(speeds(height=32, width=32, batch=8).to_dict())
        known = known_speeds(run.configuration, run.snapshot)
        assert known is not None and known.step == 0.1
        monkeypatch.setattr("training.estimates.EngineProcess", pytest.fail)
        answer = api.post("/api/v1/trainings/preflight/", {"project": str(project.pk), **settings})
        run_job(answer.json()["id"])
        job = Job.objects.get(pk=answer.json()["id"])
        assert job.state == WorkState.SUCCEEDED, job.error_detail
        result = api.get(f"/api/v1/jobs/{job.pk}/").json()["result"]
        assert result["seconds_by_phase"]["training"] > 0 and "speeds" not in result
        assert result["configuration"]["epochs"] == 3 and result["images"]["train"] > 0

    def test_a_training_tells_how_fast_its_network_was_in_truth(self, api, project, shapes):  # noqa: F811
        settings = {"architecture": "small_cnn", "image_size": 32, "epochs": 3, "batch_size": 8}
        run = TrainingRun.objects.get(pk=start(api, project, **settings).json()["id"])
        keep_speeds(speeds(height=32, width=32, batch=8, step=0.1, preparing=9.0).to_dict())
        run.estimate = {"seconds_by_phase": {"training": 30.0}}
        for seconds, count in ((5.0, 2), (400.0, 2)):  # half of what was expected; nonsense
            history = [{"phase": "training", "seconds": seconds}] * 3
            learn_speeds(run, history, run.configuration)
            found = known_speeds(run.configuration, run.snapshot)
            assert found is not None and len(speed_file().rows()) == count
            assert (found.step, found.forward, found.preparing) == (0.05, 0.0005, 4.5)
        for nothing in ({}, {"seconds_by_phase": {}}, None):
            run.estimate = nothing
            learn_speeds(run, [], run.configuration)
        assert len(speed_file().rows()) == 2

    def test_minutes_choose_what_fits(self, api, project, shapes):  # noqa: F811
        keep_speeds(speeds(batch=8, step=60.0).to_dict())
        usual = start(api, project, architecture="small_cnn", batch_size=8).json()["configuration"]
        assert (usual["minutes"], usual["max_minutes"]) == (30, 30)
        fitted = start(api, project, architecture="small_cnn", batch_size=8, minutes=2).json()["configuration"]
        assert fitted["image_size"] < usual["image_size"] and fitted["minutes"] == fitted["max_minutes"] == 2
        wrong = start(api, project, minutes=-1)
        assert wrong.status_code == 400 and wrong.json()["errors"][0]["attr"] == "minutes"

    def test_a_search_has_minutes_for_itself_only(self, api, project, shapes):  # noqa: F811
        answer = api.post("/api/v1/searches/", {"project": str(project.pk), "minutes": 5})
        assert answer.status_code == 400 and answer.json()["errors"][0]["attr"] == "minutes"

    def test_what_an_engine_says_wrongly_is_not_kept(self):
        for values in ({}, {"network": "x"}, {**speeds().to_dict(), "more": 1}, {**speeds().to_dict(), "network": ""}):
            keep_speeds(values)
        assert speed_file().rows() == []
        keep_speeds({**speeds().to_dict(), "forward": float("nan")})
        assert speed_file().about(CNN, 64, 64, 32) is None
