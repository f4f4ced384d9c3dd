"""What may go wrong beside the live model: other processes, damaged files, a full disk, large features."""

# ruff: noqa: F401, F811

import pickle
import shutil
from uuid import uuid4

import numpy as np
import pytest

from datasets.models import Image
from inference.embeddings import embedders, stores
from inference.embeddings.embedding import MissingImages
from inference.embeddings.stores import folder_of, store_of, tidy
from inference.live_model import upkeep
from projects.models import ProjectEvent
from tests.test_live_model import add, folders, fresh, guesses, keeper, status, work
from vision.analysis.feature_store import FeatureStore, ids_of
from vision.analysis.live_head import fit_head

pytestmark = pytest.mark.any_database("files beside the live model")


def store_in(project) -> FeatureStore:
    return store_of(project, embedders.embedder_for(project))


class TestTwoProcesses:
    def test_an_image_has_its_features_once(self, api, project, fresh, keeper):
        embedder = embedders.embedder_for(project)
        one, other = MissingImages(project, embedder, set()), MissingImages(project, embedder, set())
        for missing in (one, other, other, one, one, other):
            missing.embed_some()
        ids = store_in(project).ids()
        assert len(ids) == len(np.unique(ids, axis=0)) == 160

    def test_a_change_is_not_forgotten_while_another_works_on_the_project(
        self,
        api,
        project,
        fresh,
        keeper,
        monkeypatch,
    ):
        monkeypatch.setattr(upkeep, "BUSY_SECONDS", 0)
        with upkeep.alone(project):
            assert keeper.step() and status(api, project)["embedded"] == 0
        work()
        assert status(api, project)["guesses"] == 40

    def test_a_store_that_is_in_use_is_not_written_again(self, api, project, fresh, keeper):
        work()
        api.delete(f"/api/v1/datasets/{fresh['id']}/")
        with upkeep.alone(project):
            assert tidy() == 0
        assert tidy() == 1

    def test_what_changes_while_a_process_starts_is_seen(self, project, keeper, monkeypatch):
        def looks() -> None:
            ProjectEvent.objects.create(project=project.pk, kind="annotations", content={})

        monkeypatch.setattr(keeper, "_look_for_embedders", looks)
        keeper._look_for_changes()
        monkeypatch.setattr(keeper, "_look_for_embedders", lambda: None)
        keeper._look_for_changes()
        assert keeper._unfitted == {project.pk}


class TestFailures:
    def test_what_has_failed_is_tried_again(self, api, project, fresh, keeper, monkeypatch):
        fit = upkeep.fit_live_model
        monkeypatch.setattr(upkeep, "fit_live_model", lambda *_: (_ for _ in ()).throw(RuntimeError("broken")))
        work()
        monkeypatch.setattr(upkeep, "fit_live_model", fit)
        work()
        assert status(api, project)["guesses"] == 0
        monkeypatch.setattr(upkeep, "AFTER_FAILURE_SECONDS", 0)
        work()
        assert status(api, project)["guesses"] == 40

    def test_images_that_came_while_the_disk_was_full(self, api, project, fresh, keeper, settings, monkeypatch):
        settings.MIN_FREE_BYTES = 1 << 60
        work()
        settings.MIN_FREE_BYTES = 0
        monkeypatch.setattr(upkeep, "AFTER_FAILURE_SECONDS", 0)
        work()
        assert status(api, project)["embedded"] == 160


class TestTrash:
    def test_images_in_the_trash_are_not_shown_and_come_back(self, api, project, fresh, keeper):
        work()
        api.delete(f"/api/v1/datasets/{fresh['id']}/")
        # At once, and not only when it was fitted again.
        assert guesses(api, project)["results"] == []
        assert api.get(f"/api/v1/projects/{project.pk}/live-model/next/").json() == []
        work()
        assert status(api, project)["guesses"] == guesses(api, project)["count"] == 0
        entry = api.get("/api/v1/trash/", {"project": str(project.pk)}).json()["results"][0]
        assert api.post(f"/api/v1/trash/{entry['id']}/restore/").status_code < 300
        work()
        assert status(api, project)["guesses"] == len(guesses(api, project)["results"]) == 40


class TestFiles:
    @pytest.mark.parametrize("name", ["ids.bin", "vectors.f16", "codes.f16"])
    def test_features_that_were_cut_are_computed_again(self, api, project, fresh, keeper, monkeypatch, name):
        work()
        path = store_in(project).folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 3])
        image = Image.objects.order_by("-pk").first()
        assert api.get(f"/api/v1/images/{image.pk}/similar/").status_code == 409
        monkeypatch.setattr(upkeep, "_upkeep", upkeep.Upkeep())
        work()
        assert api.get(f"/api/v1/images/{image.pk}/similar/").status_code == 200
        ids = store_in(project).ids()
        assert len(ids) == len(np.unique(ids, axis=0)) == 160 and status(api, project)["guesses"] == 40

    def test_other_files_beside_a_store(self, api, project, fresh, keeper):
        work()
        folder = store_in(project).folder
        (folder.parent / "0 copy").mkdir()
        (folder.parent / "1").write_bytes(b"")
        assert status(api, project)["embedded"] == 160

    @pytest.mark.parametrize("name", ["guesses.npz", "next.bin", "curve.json"])
    def test_a_folder_where_a_file_should_be(self, api, project, fresh, keeper, name):
        work()
        path = folder_of(project) / "live" / name
        path.unlink(missing_ok=True)
        path.mkdir()
        for address in ("", "guesses/", "next/"):
            assert api.get(f"/api/v1/projects/{project.pk}/live-model/{address}").status_code == 200

    def test_a_pickle_is_not_loaded(self, api, project, fresh, keeper):
        work()
        path = folder_of(project) / "live" / "guesses.npz"
        path.write_bytes(pickle.dumps({"ids": 1}))
        assert guesses(api, project)["count"] == 0
        np.savez(path.with_suffix(""), state=np.array([object()]))
        assert guesses(api, project)["count"] == 0

    def test_the_folder_of_features_is_a_file(self, api, project, fresh, keeper, settings):
        shutil.rmtree(settings.FEATURES_DIR, ignore_errors=True)
        settings.FEATURES_DIR.write_bytes(b"")
        work()
        assert status(api, project)["embedded"] == 0 and guesses(api, project)["count"] == 0


def test_of_a_small_dataset_beside_a_large_one(api, project, fresh, dataset, keeper):
    """All images of the other dataset are more like it than those of its own."""
    embedder = embedders.embedder_for(project)
    near = np.random.default_rng(0).normal(5, 0.1, (400, 8))
    keys = list(Image.objects.filter(dataset=fresh["id"]).values_list("pk", flat=True))
    far = np.random.default_rng(1).normal(-5, 1, (len(keys), 8))
    far[0] = 5
    stores.store_for(project, embedder, 8).append([*keys, *(uuid4() for _ in near)], np.concatenate([far, near]))
    rows = api.get(f"/api/v1/images/{keys[0]}/similar/", {"limit": 10, "same_dataset": "true"}).json()
    assert len(rows) == 10 and {row["image"]["dataset"] for row in rows} == {fresh["id"]}


def test_features_that_16_bits_do_not_hold(tmp_path):
    store = FeatureStore(tmp_path, 3)
    keys = [uuid4(), uuid4()]
    store.append(keys, np.array([[1e9, 0, np.nan], [-np.inf, 1, 2]], np.float32))
    vectors = store.vectors()
    assert np.isfinite(vectors).all() and np.isfinite(store.codes()).all()
    head = fit_head(vectors[store.rows_of(ids_of(keys))], np.array([0, 1]), 2, *store.statistics())
    assert head.probabilities(vectors).argmax(axis=1).tolist() == [0, 1]
