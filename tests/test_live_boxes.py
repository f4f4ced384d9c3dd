"""The live model of boxes as its user meets it: confirm some boxes, and suggestions are named by what people taught."""

import itertools
from io import BytesIO

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from datasets.models import Annotation, Image, Label, Origin
from inference.embeddings import embedders
from inference.embeddings.embedders import ProjectEmbedder
from inference.embeddings.stores import BOXES, folder_of, tidy
from inference.live_model import box_features, upkeep
from inference.live_model.box_fitting import read_box_guesses
from projects.models import Project
from tests.conftest import client_of
from vision.analysis.box_samples import MOST_OVERLAP, BackgroundBoxes, _overlap, cut_out

pytestmark = pytest.mark.any_database("guesses of the live model")
numbers = itertools.count(1)
COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200)}
SIDE, BOX = 96, 24


class MeanColour:
    """An embedder whose features are the mean colours of the parts of an image."""

    image_size = (16, 16)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        parts = pixels.reshape(2, 8, 2, 8, 3).mean(axis=(1, 3)).ravel()
        return np.concatenate([parts, parts**2 / 255]).astype(np.float32)


@pytest.fixture(autouse=True)
def embedder(settings, tmp_path, monkeypatch) -> ProjectEmbedder:
    settings.FEATURES_DIR = tmp_path / "features"
    settings.LIVE_MODEL_SECONDS = 0
    made = ProjectEmbedder("colours", "Mean colours", MeanColour)
    for module in (upkeep, embedders):
        monkeypatch.setattr(module, "embedder_for", lambda project: made)
    monkeypatch.setattr("inference.embeddings.stores.embedder_for", lambda project: made)
    monkeypatch.setattr("inference.live_model.reading.embedder_for", lambda project: made)
    monkeypatch.setattr(upkeep, "_upkeep", upkeep.Upkeep())
    return made


@pytest.fixture
def boxes(api) -> Project:
    """A project for detection with the labels red and blue."""
    made = api.post("/api/v1/projects/", {"name": "boxes", "task": "detection"}).json()
    for name in COLOURS:
        api.post(f"/api/v1/projects/{made['id']}/labels/", {"name": name})
    api.post("/api/v1/datasets/", {"project": made["id"], "name": "all"})
    return Project.objects.get(pk=made["id"])


def add(api, project: Project, *names: str) -> tuple[Image, list[list[float]]]:
    """An image with a square of each colour side by side on grey, and where they are."""
    pixels = np.full((SIDE, SIDE, 3), 120, np.uint8)
    seed = next(numbers)
    pixels += np.random.default_rng(seed).integers(0, 12, pixels.shape, dtype=np.uint8)
    places = []
    for place, name in enumerate(names):
        left, top = 6 + 44 * place, 10 + 7 * (seed % 5)
        pixels[top : top + BOX, left : left + BOX] = COLOURS[name]
        places.append([left, top, left + BOX, top + BOX])
    file = BytesIO()
    Pillow.fromarray(pixels).save(file, "PNG")
    dataset = project.datasets.get()
    upload = SimpleUploadedFile(f"{seed}.png", file.getvalue(), "image/png")
    answer = api.post(f"/api/v1/datasets/{dataset.pk}/images/", {"files": [upload]}, format="multipart")
    assert answer.status_code == 201, answer.content
    return Image.objects.get(pk=answer.json()["created"][0]["id"]), places


def confirm(api, image: Image, rows: list[dict]) -> None:
    answer = api.put(f"/api/v1/images/{image.pk}/annotations/", rows, format="json")
    assert answer.status_code == 200, answer.content


def suggest(image: Image, label: str, box: list[float]) -> Annotation:
    row = Label.objects.get(project=image.project, name=label)
    edges = dict(zip(("x_min", "y_min", "x_max", "y_max"), box, strict=True))
    return Annotation.objects.create(image=image, label=row, origin=Origin.MODEL, confirmed=False, score=0.6, **edges)


def guesses(api, image: Image) -> list[dict]:
    answer = api.get(f"/api/v1/images/{image.pk}/box-guesses/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def taught(api, project: Project, count: int = 6) -> None:
    for _ in range(count):
        image, (red, blue) = add(api, project, "red", "blue")
        confirm(api, image, [{"label": "red", "box": red}, {"label": "blue", "box": blue}])


def test_suggestions_are_named_by_what_people_have_marked(api, boxes):
    taught(api, boxes)
    image, (red, blue) = add(api, boxes, "red", "blue")
    wrong, right = suggest(image, "red", blue), suggest(image, "red", red)
    nothing = suggest(image, "red", [10, 70, 34, 94])
    upkeep.look_after_live_models()
    names = {str(label.pk): label.name for label in boxes.labels.all()}
    found = {row["annotation"]: (names[row["label"]], row["confidence"]) for row in guesses(api, image)}
    assert found[str(wrong.pk)][0] == "blue" and found[str(wrong.pk)][1] > 0.5
    assert found[str(right.pk)][0] == "red" and found[str(right.pk)][1] > 0.5
    assert found[str(nothing.pk)][1] < 0.5  # it shows nothing, whatever the detector says
    state = api.get(f"/api/v1/projects/{boxes.pk}/live-model/").json()
    assert state["code"] == "not_for_detection" and state["boxes"]["boxes"] == 12
    assert state["boxes"]["suggestions"] == 3 and state["boxes"]["accuracy"] > 0.9
    assert sorted(row["boxes"] for row in state["boxes"]["labels"]) == [6, 6]


def test_a_label_that_the_detector_never_knew_is_learned(api, boxes):
    taught(api, boxes)
    image, (_, blue) = add(api, boxes, "red", "blue")
    suggestion = suggest(image, "red", blue)
    upkeep.look_after_live_models()
    before = read_box_guesses(boxes)
    new = api.post(f"/api/v1/projects/{boxes.pk}/labels/", {"name": "sea"}).json()["id"]
    for _ in range(8):
        other, (_, place) = add(api, boxes, "red", "blue")
        confirm(api, other, [{"label": "sea", "box": place}])
    Annotation.objects.filter(label__name="blue", confirmed=True).delete()
    upkeep.look_after_live_models()
    (row,) = [row for row in guesses(api, image) if row["annotation"] == str(suggestion.pk)]
    assert row["label"] == new
    after = read_box_guesses(boxes)
    assert before is not None and after is not None and after.state.version == before.state.version + 1


def test_what_is_accepted_or_unknown_has_no_guess(api, boxes):
    image, (red, blue) = add(api, boxes, "red", "blue")
    assert guesses(api, image) == []  # nothing was learned yet
    taught(api, boxes)
    first, second = suggest(image, "red", red), suggest(image, "blue", blue)
    upkeep.look_after_live_models()
    assert {row["annotation"] for row in guesses(api, image)} == {str(first.pk), str(second.pk)}
    later = suggest(image, "red", [1, 1, 20, 20])
    assert str(later.pk) not in {row["annotation"] for row in guesses(api, image)}
    first.confirmed = True
    first.save()
    assert {row["annotation"] for row in guesses(api, image)} == {str(second.pk)}


def test_nothing_is_fitted_again_without_a_change_and_nothing_left_without_boxes(api, boxes, monkeypatch):
    taught(api, boxes)
    upkeep.look_after_live_models()
    first = read_box_guesses(boxes)
    monkeypatch.setattr(upkeep, "_upkeep", upkeep.Upkeep())
    upkeep.look_after_live_models()
    again = read_box_guesses(boxes)
    assert first is not None and again is not None and again.state == first.state
    assert (folder_of(boxes) / f"colours{BOXES}").is_dir()
    tidy()
    assert (folder_of(boxes) / f"colours{BOXES}").is_dir()
    for image in Image.objects.filter(dataset__project=boxes):
        confirm(api, image, [])
    upkeep.look_after_live_models()
    assert read_box_guesses(boxes) is None


def test_an_image_that_cannot_be_read_keeps_the_others_from_nothing(api, boxes, monkeypatch):
    taught(api, boxes)
    broken = Image.objects.filter(dataset__project=boxes).first()
    opened = box_features.storage.opened

    def fails(blob):
        if blob == broken.blob:
            raise OSError("the disk is broken")
        return opened(blob)

    monkeypatch.setattr(box_features.storage, "opened", fails)
    upkeep.look_after_live_models()
    found = read_box_guesses(boxes)
    assert found is not None and sum(found.state.boxes_by_label) == 10


def test_only_members_read_them(api, boxes, client, outsider):
    image, _ = add(api, boxes, "red")
    address = f"/api/v1/images/{image.pk}/box-guesses/"
    assert client_of(outsider).get(address).status_code == 404
    assert client.get(address).status_code == 401
    assert api.post(address).status_code == 405


class TestBoxes:
    def test_background_lies_beside_what_is_marked_and_is_the_same_each_time(self):
        sampler = BackgroundBoxes(np.array([[20.0, 10.0], [200.0, 300.0]]))
        marked = [(0.0, 0.0, 50.0, 50.0)]
        found = sampler.of(100, 80, marked, seed=3)
        assert found == sampler.of(100, 80, marked, seed=3) != sampler.of(100, 80, marked, seed=4)
        assert 0 < len(found) <= 2
        for box in found:
            assert 0 <= box[0] < box[2] <= 100 and 0 <= box[1] < box[3] <= 80
            assert _overlap(box, marked[0]) <= MOST_OVERLAP
        assert BackgroundBoxes(np.zeros((0, 2))).of(100, 80, [], seed=1) == []

    def test_a_cut_out_has_a_margin_and_stays_inside(self):
        image = Pillow.new("RGB", (100, 50))
        assert cut_out(image, (40, 20, 60, 30)).size == (26, 14)
        assert cut_out(image, (0, 0, 100, 50)).size == (100, 50)
        assert cut_out(image, (99.5, 49.5, 99.9, 49.9)).size == (1, 1)
        assert cut_out(image, (150, 150, 160, 160)).size == (1, 1)
