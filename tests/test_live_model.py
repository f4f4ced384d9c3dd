"""The live model as its user meets it: label images, and the others have guesses; confirm them, and they are gone."""

import itertools
import shutil

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.models import Annotation, Image
from inference.embeddings import embedders, embedding
from inference.embeddings.stores import folder_of, store_of, tidy
from inference.live_model import fitting, upkeep
from inference.registry.registration import register_model
from projects.models import Project, ProjectEvent
from projects.services import create_project
from storage.errors import BlobMissing
from tests.conftest import client_of
from tests.pictures import shape_jpeg

pytestmark = pytest.mark.any_database("guesses of the live model")
KINDS = ("cross", "disc")
numbers = itertools.count(5000)


@pytest.fixture(autouse=True)
def folders(settings, tmp_path, monkeypatch):
    settings.FEATURES_DIR = tmp_path / "features"
    settings.LIVE_MODEL_SECONDS = 0
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path / "no-weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "no-weights"))
    monkeypatch.setattr("vision.training.architectures.OWN_FOLDERS", [])


@pytest.fixture
def keeper(monkeypatch) -> upkeep.Upkeep:
    made = upkeep.Upkeep()
    monkeypatch.setattr(upkeep, "_upkeep", made)
    return made


@pytest.fixture
def fresh(api, project, classifier) -> dict:
    """A dataset with 40 images that nobody labelled, beside the labelled ones that the model was trained on."""
    dataset = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "fresh"}).json()
    add(api, dataset, 40)
    return dataset


def add(api, dataset: dict, count: int) -> None:
    files = [
        SimpleUploadedFile(f"{KINDS[n % 2]}-{n}.jpg", shape_jpeg(next(numbers), KINDS[n % 2]), "image/jpeg")
        for n in range(count)
    ]
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", {"files": files}, format="multipart")
    assert answer.status_code == 201, answer.content


def work() -> None:
    upkeep.look_after_live_models()


def status(api, project) -> dict:
    return api.get(f"/api/v1/projects/{project.pk}/live-model/").json()


def guesses(api, project, **query) -> dict:
    answer = api.get(f"/api/v1/projects/{project.pk}/live-model/guesses/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(api, project) -> dict[str, str]:
    rows = api.get(f"/api/v1/projects/{project.pk}/labels/").json()
    return {row["id"]: row["name"] for row in (rows if isinstance(rows, list) else rows["results"])}


class TestGuesses:
    def test_images_without_a_label_are_guessed_and_confirmed(self, api, project, fresh, keeper):
        work()
        now = status(api, project)
        assert (now["code"], now["images"], now["embedded"], now["labelled"], now["guesses"]) == ("", 160, 160, 120, 40)
        assert now["held_out"] == 120 and now["accuracy"] > 0.9 and now["embedder"].startswith("Shapes")
        assert sum(row["images"] for row in now["labels"]) == 120 and sum(row["guesses"] for row in now["labels"]) == 40
        page = guesses(api, project)
        named = names(api, project)
        right = [row["image"]["filename"].startswith(named[row["label"]]) for row in page["results"]]
        assert page["count"] == len(right) == 40 and np.mean(right) > 0.9
        sure = [row["confidence"] for row in page["results"]]
        assert sure == sorted(sure, reverse=True) and 0.5 <= sure[-1] <= sure[0] <= 1

        first = [row for row in page["results"] if row["label"] == page["results"][0]["label"]][:10]
        images = [row["image"]["id"] for row in first]
        done = api.post(
            "/api/v1/images/bulk/",
            {"action": "label", "label": first[0]["label"], "images": images},
            format="json",
        )
        assert done.json() == {"changed": 10, "unchanged": 0}
        # Before it has learned again, they are left out already.
        assert not set(images) & {row["image"]["id"] for row in guesses(api, project)["results"]}
        work()
        after = status(api, project)
        assert (after["labelled"], after["guesses"], after["version"]) == (130, 30, now["version"] + 1)

    def test_that_of_one_image_can_be_asked_for(self, api, project, fresh, keeper):
        work()
        wanted = guesses(api, project)["results"][7]
        alone = guesses(api, project, image=wanted["image"]["id"])
        assert (alone["count"], alone["results"]) == (1, [wanted])
        labelled = Image.objects.filter(dataset__project=project, annotations__confirmed=True).first()
        assert guesses(api, project, image=str(labelled.pk))["count"] == 0
        unknown = api.get(f"/api/v1/projects/{project.pk}/live-model/guesses/", {"image": str(project.pk)})
        assert unknown.status_code == 400

    def test_they_are_narrowed_and_ordered(self, api, project, fresh, dataset, keeper):
        work()
        every = guesses(api, project)["results"]
        label = every[0]["label"]
        own = guesses(api, project, label=label)
        assert own["count"] == sum(row["label"] == label for row in every) and {r["label"] for r in own["results"]} == {
            label
        }
        turned = guesses(api, project, order="least_confident", limit=5)
        assert [row["confidence"] for row in turned["results"]] == [row["confidence"] for row in every[::-1][:5]]
        assert guesses(api, project, offset=35)["results"] == every[35:]
        sure = [row["confidence"] for row in every]
        middle = (sure[0] + sure[-1]) / 2
        assert guesses(api, project, min_confidence=middle)["count"] == sum(one >= middle for one in sure)
        assert guesses(api, project, max_confidence=middle)["count"] == sum(one <= middle for one in sure)
        assert guesses(api, project, dataset=dataset["id"])["count"] == 0
        assert guesses(api, project, dataset=fresh["id"])["count"] == 40

    @pytest.mark.parametrize(
        ("query", "attr"),
        [
            ({"order": "best"}, "order"), ({"limit": 0}, "limit"), ({"limit": 1001}, "limit"),
            ({"offset": -1}, "offset"),
            ({"min_confidence": "nan"}, "min_confidence"), ({"label": "x"}, "label"), ({"colour": 1}, "colour"),
            ({"dataset": "01a22140-d0ef-73dd-a94e-1bf92535dd4b"}, "dataset"),
        ],
    )  # fmt: skip
    def test_bad_questions(self, api, project, query, attr):
        answer = api.get(f"/api/v1/projects/{project.pk}/live-model/guesses/", query)
        assert answer.status_code == 400 and [error["attr"] for error in answer.json()["errors"]] == [attr]

    def test_labels_of_another_project_are_not_known(self, api, project, outsider):
        foreign = create_project(user=outsider, name="theirs", task="classification")
        label = client_of(outsider).post(f"/api/v1/projects/{foreign.pk}/labels/", {"name": "x"}).json()
        answer = api.get(f"/api/v1/projects/{project.pk}/live-model/guesses/", {"label": label["id"]})
        assert answer.status_code == 400

    def test_who_may_look(self, project, viewer, outsider, client):
        for path in ("live-model/", "live-model/guesses/"):
            address = f"/api/v1/projects/{project.pk}/{path}"
            assert client_of(viewer).get(address).status_code == 200
            assert client_of(outsider).get(address).status_code == 404
            assert client.get(address).status_code == 401
            assert client_of(viewer).post(address, {}).status_code == 403

    def test_the_members_hear_of_it(self, api, project, fresh, keeper):
        work()
        event = ProjectEvent.objects.filter(project=project.pk, kind="live_model").last()
        assert event.content["guesses"] == 40 and event.content["labelled"] == 120 and event.content["version"] >= 1


class TestWhyNot:
    def test_no_weights_and_no_model(self, api, project, dataset, keeper):
        add(api, dataset, 2)
        work()
        now = status(api, project)
        assert now["code"] == "no_embedder" and "make weights" in now["detail"] and now["images"] == 2
        image = Image.objects.first()
        answer = api.get(f"/api/v1/images/{image.pk}/similar/")
        assert answer.status_code == 409 and answer.json()["errors"][0]["code"] == "no_embedder"

    def test_each_reason(self, api, project, fresh, keeper):
        assert status(api, project)["code"] == "embedding"
        Annotation.objects.all().delete()
        assert status(api, project)["code"] == "too_few_labels"
        empty = create_project(user=project.memberships.first().user, name="empty", task="classification")
        assert status(api, empty)["code"] == "no_images"
        assert guesses(api, empty) == {"version": 0, "count": 0, "next": None, "results": []}

    def test_labels_that_are_taken_away_take_the_guesses(self, api, project, fresh, keeper):
        work()
        assert status(api, project)["guesses"] == 40
        one = Annotation.objects.first().label_id
        rows = [str(pk) for pk in Annotation.objects.exclude(label=one).values_list("image", flat=True)]
        api.post("/api/v1/images/bulk/", {"action": "unlabel", "images": rows}, format="json")
        work()
        now = status(api, project)
        assert (now["code"], now["guesses"], now["version"]) == ("too_few_labels", 0, 0)
        assert ProjectEvent.objects.filter(kind="live_model").last().content["version"] == 0

    def test_a_detection_project_is_only_compared(self, api, detector, keeper):
        project = detector.project
        work()
        now = status(api, project)
        assert now["code"] == "not_for_detection" and now["embedded"] == now["images"] > 0
        image = Image.objects.filter(dataset__project=project).first()
        assert api.get(f"/api/v1/images/{image.pk}/similar/").status_code == 200

    def test_it_can_be_switched_off(self, api, project, fresh, keeper, settings):
        settings.LIVE_MODEL = False
        work()
        assert status(api, project)["embedded"] == 0


class TestSimilar:
    def test_images_of_the_same_kind_come_first(self, api, project, fresh, keeper):
        work()
        image = Image.objects.filter(dataset=fresh["id"], filename__startswith="disc").first()
        rows = api.get(f"/api/v1/images/{image.pk}/similar/", {"limit": 10}).json()
        assert len(rows) == 10 and str(image.pk) not in {row["image"]["id"] for row in rows}
        assert [row["similarity"] for row in rows] == sorted((row["similarity"] for row in rows), reverse=True)
        own = api.get(f"/api/v1/images/{image.pk}/similar/", {"limit": 10, "same_dataset": "true"}).json()
        assert {row["image"]["dataset"] for row in own} == {fresh["id"]}
        kinds = [row["image"]["filename"].startswith("disc") for row in own]
        assert np.mean(kinds) > 0.8

    def test_an_image_that_waits_for_its_turn(self, api, project, fresh, keeper):
        image = Image.objects.first()
        answer = api.get(f"/api/v1/images/{image.pk}/similar/")
        assert answer.status_code == 409 and answer.json()["errors"][0]["code"] == "not_embedded"
        assert answer["Retry-After"] == "5"

    def test_of_others(self, project, fresh, outsider):
        image = Image.objects.first()
        assert client_of(outsider).get(f"/api/v1/images/{image.pk}/similar/").status_code == 404

    def test_what_is_in_the_trash_is_not_alike(self, api, project, fresh, keeper):
        work()
        image = Image.objects.filter(dataset=fresh["id"]).first()
        near = api.get(f"/api/v1/images/{image.pk}/similar/", {"limit": 1}).json()[0]["image"]["id"]
        api.delete(f"/api/v1/images/{near}/")
        after = api.get(f"/api/v1/images/{image.pk}/similar/", {"limit": 100}).json()
        assert near not in {row["image"]["id"] for row in after} and len(after) == 100


class TestUpkeep:
    def test_only_what_is_new_is_computed(self, api, project, fresh, keeper, monkeypatch):
        work()
        loads, width = [], store_of(project, embedders.embedder_for(project)).dimensions
        monkeypatch.setattr(
            embedders.Embedder, "run", lambda self, pixels: loads.append(1) or np.ones(width, np.float32)
        )
        add(api, fresh, 3)
        work()
        assert len(loads) == 3 and status(api, project)["embedded"] == 163

    def test_a_new_process_computes_nothing_twice(self, api, project, fresh, keeper, monkeypatch):
        work()
        version = status(api, project)["version"]
        monkeypatch.setattr(upkeep, "_upkeep", upkeep.Upkeep())
        monkeypatch.setattr(embedders.Embedder, "run", lambda *_: pytest.fail("again"))
        work()
        assert status(api, project)["version"] == version

    def test_a_project_that_another_process_works_on_is_left_to_it(self, api, project, fresh, keeper, monkeypatch):
        monkeypatch.setattr(upkeep, "BUSY_SECONDS", 0)
        with upkeep.alone(project) as is_alone:
            assert is_alone
            keeper.step()
        assert status(api, project)["embedded"] == 0

    def test_an_image_that_cannot_be_read_keeps_no_other_from_its_turn(self, api, project, fresh, keeper, monkeypatch):
        lost = Image.objects.filter(dataset=fresh["id"]).first()
        opened = embedding.storage.opened

        def reads(blob):
            if blob.pk == lost.blob_id:
                raise BlobMissing(blob.sha256)
            return opened(blob)

        monkeypatch.setattr(embedding.storage, "opened", reads)
        work()
        now = status(api, project)
        assert now["embedded"] == 159 and now["guesses"] == 39

    def test_an_error_in_one_project_keeps_no_other_from_its_turn(
        self, api, project, fresh, keeper, monkeypatch, owner
    ):
        fit = upkeep.fit_live_model
        other = create_project(user=owner, name="other", task="classification")
        monkeypatch.setattr(upkeep, "embedder_for", lambda p: embedders.embedder_for(project))
        failed = []

        def fits(one, embedder):
            if one.pk == other.pk:
                failed.append(one)
                raise RuntimeError("broken")
            return fit(one, embedder)

        monkeypatch.setattr(upkeep, "fit_live_model", fits)
        work()
        assert failed and status(api, project)["guesses"] == 40

    def test_weights_that_come_later_are_used(self, api, project, fresh, keeper, monkeypatch):
        embedder = upkeep.embedder_for
        monkeypatch.setattr(upkeep, "EMBEDDERS_SECONDS", 0)
        monkeypatch.setattr(upkeep, "embedder_for", lambda _: (_ for _ in ()).throw(embedders.NoEmbedder()))
        work()
        assert not folder_of(project).exists()
        monkeypatch.setattr(upkeep, "embedder_for", embedder)
        work()
        assert status(api, project)["embedded"] == 160

    def test_a_full_disk(self, api, project, fresh, keeper, settings, monkeypatch):
        monkeypatch.setattr(upkeep, "AFTER_FAILURE_SECONDS", 0)
        settings.MIN_FREE_BYTES = 1 << 60
        work()
        assert status(api, project)["embedded"] == 0
        settings.MIN_FREE_BYTES = 0
        add(api, fresh, 1)
        work()
        assert status(api, project)["embedded"] == 161

    def test_files_that_were_damaged_or_removed(self, api, project, fresh, keeper, monkeypatch):
        work()
        path = folder_of(project) / "live" / "guesses.npz"
        path.write_bytes(path.read_bytes()[:100])
        assert status(api, project)["guesses"] == 0 and guesses(api, project)["count"] == 0
        shutil.rmtree(folder_of(project))
        monkeypatch.setattr(upkeep, "_upkeep", upkeep.Upkeep())
        work()
        assert status(api, project)["guesses"] == 40

    def test_an_annotation_event_reaches_the_workers(self, project, monkeypatch, django_capture_on_commit_callbacks):
        sent = []
        monkeypatch.setattr(upkeep.messages, "send", lambda *pair: sent.append(pair))
        with django_capture_on_commit_callbacks(execute=True):
            ProjectEvent.objects.create(project=project.pk, kind="annotations", content={})
            ProjectEvent.objects.create(project=project.pk, kind="device", content={})
        assert sent == [("inference.tasks.look_after_live_models", "quick")]

    def test_events_that_appear_late_are_not_missed(self, project, keeper):
        newest = ProjectEvent.objects.latest("pk").pk

        def look(number: int | None = None) -> set:
            if number is not None:
                ProjectEvent.objects.create(pk=newest + number, project=project.pk, kind="annotations", content={})
            keeper._look_for_changes()
            found = set(keeper._unfitted)
            keeper._unfitted.clear()
            return found

        look(20)
        assert look(23) == {project.pk} and look() == set()
        assert look(22) == {project.pk}

    def test_frames_of_a_video_are_tried_together(self, api, project, fresh, keeper, monkeypatch):
        seen = []
        tried = fitting.held_out
        monkeypatch.setattr(fitting, "held_out", lambda *a: seen.append(a[-1]) or tried(*a))
        Image.objects.filter(annotations__confirmed=True).update(group="clip-1")
        work()
        assert len(set(seen[-1].tolist())) == 1 and status(api, project)["held_out"] == 0


class TestTidy:
    def test_what_is_gone_takes_no_space(self, api, project, fresh, keeper):
        work()
        assert tidy() == 0
        api.delete(f"/api/v1/datasets/{fresh['id']}/")
        assert tidy() == 1
        store = store_of(project, embedders.embedder_for(project))
        assert store.count == 120
        Project.objects.filter(pk=project.pk).update(name="still here")
        stray = folder_of(project).parent / "not-a-project"
        stray.mkdir()
        (folder_of(project) / "mobilenet_v2-160-00000000").mkdir()
        assert tidy() == 2 and not stray.exists()

    def test_the_model_in_use_stays_in_use(self, api, project, fresh, keeper, classifier, classifier_files, owner):
        work()
        newer = register_model(
            project=project, name="Newer", class_names=["cross", "disc"], architecture="small_cnn",
            input_size=(32, 32), parameters=1, files=classifier_files, user=owner,
        )  # fmt: skip
        assert embedders.embedder_for(project).name == f"model-{classifier.pk}"
        shutil.rmtree(folder_of(project))
        assert embedders.embedder_for(project).name == f"model-{newer.pk}"


class TestNext:
    def next(self, api, project, **query) -> list[dict]:
        return api.get(f"/api/v1/projects/{project.pk}/live-model/next/", query).json()

    def test_what_it_is_unsure_of_comes_first_and_unlike_each_other(self, api, project, fresh, dataset, keeper):
        work()
        rows = self.next(api, project)
        assert len(rows) == 40 and {row["dataset"] for row in rows} == {fresh["id"]}
        unsure = guesses(api, project, order="least_confident")["results"]
        # Confidences are rounded: several images may have the lowest one.
        least = {row["image"]["id"] for row in unsure if row["confidence"] == unsure[0]["confidence"]}
        assert rows[0]["id"] in least
        assert self.next(api, project, dataset=dataset["id"]) == [] and len(self.next(api, project, limit=3)) == 3

    def test_before_the_first_label_both_kinds_are_among_the_first(self, api, project, fresh, keeper):
        Annotation.objects.all().delete()
        Image.objects.exclude(dataset=fresh["id"]).delete()
        work()
        assert status(api, project)["code"] == "too_few_labels"
        kinds = [row["filename"].split("-")[0] for row in self.next(api, project, limit=6)]
        assert set(kinds) == set(KINDS)

    def test_what_was_labelled_meanwhile_is_left_out(self, api, project, fresh, keeper):
        work()
        first = self.next(api, project)[0]["id"]
        label = next(iter(names(api, project)))
        api.post("/api/v1/images/bulk/", {"action": "label", "label": label, "images": [first]}, format="json")
        assert first not in {row["id"] for row in self.next(api, project)}

    def test_of_nothing(self, api, project):
        assert self.next(api, project) == []


class TestLearningCurve:
    def test_it_is_measured_when_nothing_else_is_to_do(self, api, project, fresh, keeper, monkeypatch):
        work()
        curve = status(api, project)["learning_curve"]
        sizes = [point["images"] for point in curve["measured"]]
        assert sizes == [24, 48, 72, 96] and curve["measured"][-1]["accuracy"] > 0.9
        assert [point["images"] for point in curve["expected"]] == [170, 220, 320]
        assert all(0 < point["deviation"] < 0.2 and point["accuracy"] <= 1 for point in curve["expected"])
        labels = status(api, project)["labels"]
        assert sum(row["held_out"] for row in labels) == 120 and all(row["right"] <= row["held_out"] for row in labels)
        monkeypatch.setattr("inference.live_model.ordering.learning_curve", lambda *_: pytest.fail("nothing changed"))
        monkeypatch.setattr(upkeep, "_upkeep", upkeep.Upkeep())
        work()
