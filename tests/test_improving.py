"""The circle: what to label next, what to look at again, which model is better, where it looks."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label, Origin
from datasets.snapshots import current_snapshot, take_snapshot
from inference.models import Evaluation, LabelingCandidate, LabelIssue, Model
from inference.registry.registration import register_model
from jobs import services as jobs
from tests.conftest import client_of, upload
from tests.pictures import jpeg, scene, shape_jpeg
from tests.test_boxes import new_dataset

pytestmark = pytest.mark.django_db
slow = pytest.mark.slow


def run(api, path: str, body: dict | None = None, **options) -> dict:
    answer = api.post(f"/api/v1/{path}", body or {}, **options)
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["state"] == "succeeded", job
    return job


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


# Suggestions and their review


@pytest.fixture
def suggested(api, dataset, labels) -> list[Annotation]:
    """Four images with a suggestion each."""
    made = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)])["created"]
    return [
        Annotation.objects.create(
            image_id=one["id"], label_id=labels["good"]["id"], origin=Origin.MODEL, confirmed=False, score=0.7
        )
        for one in made
    ]


def test_an_image_of_which_boxes_still_wait_teaches_nothing(api, owner):
    boxes = new_dataset(owner, "boxes")
    made = upload(api, boxes, [(f"{n}.jpg", jpeg(n)) for n in range(3)])["created"]
    label = Label.objects.create(project_id=boxes["project"], name="bolt")
    box = {"x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
    waiting = [
        Annotation.objects.create(
            image_id=one["id"], label=label, **box, origin=Origin.MODEL, confirmed=False, score=score
        )
        for one in made[:2]
        for score in (0.95, 0.6)
    ]
    dataset = Dataset.objects.get(pk=boxes["id"])
    address = f"/api/v1/datasets/{boxes['id']}/snapshots/"

    def taken() -> set:
        return {str(one.image_id) for one in take_snapshot(dataset=dataset, user=owner).images.all()}

    review = {"filter": {"dataset": boxes["id"], "min_score": 0.9}, "decision": "confirm"}
    assert api.post("/api/v1/annotations/review/", review).json()["confirmed"] == 2
    refused = api.post(address)
    assert refused.status_code == 400 and "wait for a decision" in refused.json()["errors"][0]["detail"]

    api.post("/api/v1/annotations/review/", {"reject": [str(waiting[1].pk)]})
    assert taken() == {made[0]["id"]}
    last = current_snapshot(dataset=dataset, user=owner)
    assert current_snapshot(dataset=dataset, user=owner) == last
    (remark,) = [one for one in api.post(address).json()["counts"]["remarks"] if one["code"] == "suggestions_wait"]
    assert remark["detail"].startswith("1 image with boxes is left out")

    # Nothing of what is taken changes, and still it is said that one more is left out.
    more = {"label": label, **box, "origin": Origin.MODEL, "score": 0.9}
    for confirmed in (True, False):
        Annotation.objects.create(image_id=made[2]["id"], confirmed=confirmed, **more)
    now = current_snapshot(dataset=dataset, user=owner)
    assert now.pk != last.pk and "2 images with boxes are left out" in str(now.counts["remarks"])

    # Somebody has looked at the image as a whole and has seen what is missing.
    Image.objects.filter(pk=made[1]["id"]).update(reviewed=True)
    assert taken() == {made[0]["id"], made[1]["id"]}


def test_suggestions_are_confirmed_corrected_and_rejected_together(api, suggested, owner):
    first, second, third, _ = suggested
    body = {
        "confirm": [str(first.pk)],
        "reject": [str(second.pk)],
        "correct": [{"id": str(third.pk), "label": "bad"}],
    }
    answer = api.post("/api/v1/annotations/review/", body)
    assert answer.status_code == 200 and answer.json() == {"confirmed": 1, "corrected": 1, "rejected": 1}
    first.refresh_from_db()
    assert first.confirmed and first.origin == "model" and first.score == 0.7
    assert not Annotation.objects.filter(pk=second.pk).exists()
    third.refresh_from_db()
    assert third.confirmed and third.label.name == "bad" and third.origin == "human" and third.score is None
    reviewed = dict(Image.objects.values_list("filename", "reviewed"))
    assert reviewed == {"0.jpg": True, "1.jpg": False, "2.jpg": True, "3.jpg": False}
    change = AnnotationChange.objects.get(image=first.image_id)
    (before,), (after,) = change.before, change.after
    assert change.changed_by == owner and (before["label"], before["box"], before["confirmed"]) == ("good", None, False)
    assert after == {name: value for name, value in before.items() if name != "confirmed"}


def test_whole_images_are_confirmed_or_rejected(api, suggested):
    ids = [str(one.image_id) for one in suggested]
    assert api.post("/api/v1/images/bulk/", {"action": "confirm", "images": ids[:3]}).json()["changed"] == 3
    assert api.post("/api/v1/images/bulk/", {"action": "reject", "images": ids}).json() == {
        "changed": 1,
        "unchanged": 3,
    }
    assert Annotation.objects.filter(confirmed=True).count() == Annotation.objects.count() == 3


def test_a_decision_that_cannot_be_made_changes_nothing(api, suggested, viewer, outsider):
    url, pk = "/api/v1/annotations/review/", str(suggested[0].pk)
    assert code_of(api.post(url, {})) == "required"
    assert code_of(api.post(url, {"confirm": [pk], "reject": [pk]})) == "invalid"
    assert code_of(api.post(url, {"correct": [{"id": pk}]})) == "required"
    assert code_of(api.post(url, {"confirm": [pk], "correct": [{"id": str(suggested[1].pk), "label": "?"}]})) == (
        "unknown_label"
    )
    assert code_of(api.post(url, {"correct": [{"id": pk, "box": [0, 0, 5, 5]}]})) == "invalid"
    missing = api.post(url, {"confirm": [pk, "6a1f2f3e-0000-4000-8000-000000000000"]})
    assert missing.status_code == 404
    assert client_of(viewer).post(url, {"confirm": [pk]}).status_code == 403
    assert client_of(outsider).post(url, {"confirm": [pk]}).status_code == 404
    assert client_of(None).post(url, {"confirm": [pk]}).status_code == 401
    assert Annotation.objects.filter(confirmed=False).count() == 4


def test_rejecting_every_box_says_that_nothing_is_there(owner):
    dataset = new_dataset(owner, "boxes")
    api = client_of(owner)
    image = upload(api, dataset, [("a.png", scene(1)[0])])["created"][0]
    project = Dataset.objects.get(pk=dataset["id"]).project
    label = Label.objects.create(project=project, name="disc")
    rows = [
        Annotation.objects.create(
            image_id=image["id"],
            label=label,
            x_min=n,
            y_min=n,
            x_max=n + 20,
            y_max=n + 20,
            origin=Origin.MODEL,
            confirmed=False,
            score=0.5,
        )
        for n in (1, 30)
    ]
    api.post("/api/v1/annotations/review/", {"reject": [str(rows[0].pk)]})
    assert not Image.objects.get().reviewed
    api.post("/api/v1/annotations/review/", {"correct": [{"id": str(rows[1].pk), "box": [5, 5, 900, 40]}]})
    rows[1].refresh_from_db()
    assert rows[1].box == [5.0, 5.0, 96.0, 40.0] and Image.objects.get().reviewed
    again = upload(api, dataset, [("b.png", scene(2)[0])])["created"][0]
    mark = Annotation.objects.create(
        image_id=again["id"], label=label, x_min=1, y_min=1, x_max=9, y_max=9, origin=Origin.MODEL, confirmed=False
    )
    api.post("/api/v1/annotations/review/", {"reject": [str(mark.pk)]})
    assert Image.objects.get(pk=again["id"]).reviewed
    assert take_snapshot(dataset=Dataset.objects.get(), user=owner).counts["empty_images"] == 1


@slow
def test_a_dataset_is_put_into_the_order_that_teaches_most(api, dataset, classifier, viewer):
    # Five look-alikes between the two labels, and clear discs.
    half = [blend(n) for n in range(5)]
    clear = [shape_jpeg(70_000 + n, "disc") for n in range(15)]
    files = [(f"half-{n}.jpg", content) for n, content in enumerate(half)]
    upload(api, dataset, files + [(f"clear-{n}.jpg", content) for n, content in enumerate(clear)])
    job = run(api, f"models/{classifier.pk}/suggestions/", {"dataset": dataset["id"]})
    assert (job["result"]["images"], job["result"]["suggestions"]) == (20, 20)
    url = f"/api/v1/suggestions/?dataset={dataset['id']}&model={classifier.pk}"
    rows = client_of(viewer).get(url).json()["results"]
    assert [row["rank"] for row in rows] == list(range(1, 21))
    assert all(0 <= row["uncertainty"] <= 1 and row["disagreement"] is None for row in rows)
    assert rows[0]["image"]["annotations"][0]["confirmed"] is False
    by_doubt = api.get(f"{url}&ordering=-uncertainty").json()["results"]
    assert by_doubt[0]["uncertainty"] == max(row["uncertainty"] for row in rows) == rows[0]["uncertainty"]
    # What was looked at leaves the list.
    api.post("/api/v1/images/bulk/", {"action": "confirm", "images": [rows[0]["image"]["id"]]})
    assert len(api.get(url).json()["results"]) == 19
    assert run(api, f"models/{classifier.pk}/suggestions/", {"dataset": dataset["id"]})["result"]["images"] == 19
    assert LabelingCandidate.objects.count() == 19


def blend(seed: int) -> bytes:
    parts = [Pillow.open(io.BytesIO(shape_jpeg(5, kind))) for kind in ("disc", "cross")]
    pixels = np.asarray(Pillow.blend(*parts, 0.5)).astype(int) + seed
    target = io.BytesIO()
    Pillow.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(target, "JPEG", quality=95)
    return target.getvalue()


@slow
def test_a_second_opinion_counts(api, dataset, classifier, classifier_files, project, owner):
    # The same network with its labels exchanged disagrees with itself about everything.
    other = register_model(
        project=project,
        name="Contrary",
        class_names=["disc", "cross"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files=classifier_files,
        user=owner,
    )
    upload(api, dataset, [(f"{n}.jpg", shape_jpeg(60_000 + n, "disc")) for n in range(3)])
    body = {"dataset": dataset["id"], "other_model": str(other.pk), "annotate": False}
    assert run(api, f"models/{classifier.pk}/suggestions/", body)["result"]["suggestions"] == 0
    rows = api.get(f"/api/v1/suggestions/?model={classifier.pk}").json()["results"]
    assert len(rows) == 3 and all(row["disagreement"] > 0.3 for row in rows)
    assert not Annotation.objects.filter(confirmed=False).exists()


@slow
def test_boxes_are_suggested_too(api, detector):
    dataset = {"id": str(detector.snapshot.dataset_id)}
    upload(api, dataset, [(f"{n}.png", scene(500 + n)[0]) for n in range(3)])
    job = run(api, f"models/{detector.pk}/suggestions/", {"dataset": dataset["id"]})
    assert job["result"]["images"] == 3
    assert Annotation.objects.filter(confirmed=False).count() == job["result"]["suggestions"] > 0
    assert all(one.box is not None for one in Annotation.objects.filter(confirmed=False))
    ranks = [row["rank"] for row in api.get(f"/api/v1/suggestions/?model={detector.pk}").json()["results"]]
    assert ranks == [1, 2, 3]


@slow
def test_nothing_unlabelled_is_nothing_to_suggest(api, dataset, classifier, outsider):
    url = f"/api/v1/models/{classifier.pk}/suggestions/"
    assert code_of(api.post(url, {"dataset": dataset["id"]})) == "nothing_to_suggest"
    assert code_of(api.post(url, {"dataset": str(classifier.pk)})) == "does_not_exist"
    assert client_of(outsider).post(url, {"dataset": dataset["id"]}).status_code == 404
    assert client_of(outsider).get("/api/v1/suggestions/").json()["results"] == []


# Suspects and duplicates


@slow
def test_wrong_labels_come_first(api, dataset, classifier):
    cross = Label.objects.get(name="cross")
    flipped = list(Annotation.objects.filter(label__name="disc").order_by("id")[:5])
    for one in flipped:
        one.label = cross
        one.save()
    job = run(api, f"models/{classifier.pk}/suspects/", {"dataset": dataset["id"]})
    rows = api.get(f"/api/v1/suspects/?model={classifier.pk}&page_size=5").json()["results"]
    assert {row["image"]["id"] for row in rows} == {str(one.image_id) for one in flipped}
    assert {(row["label"], row["suggested"], row["kind"]) for row in rows} == {("cross", "disc", "label")}
    assert 3 <= job["result"]["probably_wrong"] <= 8 and sum(row["is_issue"] for row in rows) >= 3
    run(api, f"models/{classifier.pk}/suspects/", {"dataset": dataset["id"]})
    assert LabelIssue.objects.count() == 120


@slow
def test_boxes_that_are_wrong_or_missing_are_suspected(api, detector):
    from inference.serving.prediction import PredictionOptions, make_predictor

    dataset = Dataset.objects.get(pk=detector.snapshot.dataset_id)
    # What the detector finds becomes the truth, and then three mistakes are made.
    predict = make_predictor(detector, PredictionOptions(threshold=0.75, limit=3))
    Annotation.objects.filter(image__dataset=dataset).delete()
    from storage.services import path_of

    labels = {label.name: label for label in detector.project.labels.all()}
    made = []
    for image in Image.objects.filter(dataset=dataset).select_related("blob"):
        for one in predict(path_of(image.blob), image.filename).boxes:
            edges = dict(zip(("x_min", "y_min", "x_max", "y_max"), one["box"], strict=True))
            made.append(Annotation.objects.create(image=image, label=labels[one["label"]], **edges))
    assert len(made) >= 20
    victim = made[0]
    other = next(label for label in labels.values() if label.pk != victim.label_id)
    Annotation.objects.filter(pk=victim.pk).update(label=other)
    run(api, f"models/{detector.pk}/suspects/", {"dataset": str(dataset.pk)})
    found = LabelIssue.objects.filter(annotation=victim).first()
    assert found is not None and found.label == other.name
    assert code_of(api.get("/api/v1/suspects/?kind=nonsense")) == "invalid_choice"


def test_too_few_images_have_no_suspects(api, dataset, project):
    model = Model.objects.create(
        project=project,
        name="m",
        version=1,
        task="classification",
        class_names=["a"],
        architecture="x",
        input_height=32,
        input_width=32,
        parameters=1,
    )
    answer = api.post(f"/api/v1/models/{model.pk}/suspects/", {"dataset": dataset["id"]})
    assert answer.status_code == 400 and code_of(answer) == "too_few_images"


def test_duplicates_and_leaks_are_found(api, dataset, project):
    picture = Pillow.open(io.BytesIO(jpeg(1, (96, 64))))
    again = io.BytesIO()
    picture.save(again, "JPEG", quality=60)
    upload(api, dataset, [("one.jpg", jpeg(1, (96, 64)))], split="train", label=new_label(api, project, "a"))
    upload(api, dataset, [("again.jpg", again.getvalue())], split="test", label=new_label(api, project, "b"))
    upload(api, dataset, [("other.jpg", jpeg(2, (96, 64)))], split="test")
    result = run(api, f"datasets/{dataset['id']}/duplicates/")["result"]
    assert (result["images"], result["groups"], result["leaks"], result["label_conflicts"]) == (3, 1, 1, 1)
    (group,) = result["first_groups"]
    assert {one["filename"] for one in group["images"]} == {"one.jpg", "again.jpg"} and not group["is_exact"]
    second = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "second"}).json()
    upload(api, second, [("copy.jpg", jpeg(2, (96, 64)))], split="train")
    assert run(api, f"datasets/{dataset['id']}/duplicates/")["result"]["groups"] == 1
    whole = run(api, f"datasets/{dataset['id']}/duplicates/", {"whole_project": True})["result"]
    assert whole["groups"] == 2 and whole["leaks"] == 2


def new_label(api, project, name: str) -> str:
    return api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": name}).json()["name"]


# Evaluations


@pytest.fixture
def evaluated(api, classifier) -> dict:
    body = {"snapshot": str(classifier.snapshot_id), "split": "train"}
    job = run(api, f"models/{classifier.pk}/evaluations/", body)
    return api.get(f"/api/v1/evaluations/{job['result']['evaluation']}/").json()


@slow
def test_every_figure_leads_to_its_images(api, evaluated):
    metrics, url = evaluated["metrics"], f"/api/v1/evaluations/{evaluated['id']}/images/"
    assert evaluated["has_outcomes"] and evaluated["file_kind"] == "litert-float32"
    for row, label in enumerate(("cross", "disc")):
        for column, predicted in enumerate(("cross", "disc")):
            answer = api.get(f"{url}?label={label}&predicted={predicted}&page_size=500").json()
            assert answer["count"] == len(answer["results"]) == metrics["confusion_matrix"][row][column]
            assert {(one["label"], one["predicted"]) for one in answer["results"]} <= {(label, predicted)}
    wrong = api.get(f"{url}?outcome=wrong").json()["count"]
    assert wrong == round(metrics["count"] * (1 - metrics["accuracy"]))
    for one in evaluated["curves"]["calibration"]:
        inside = api.get(f"{url}?min_score={one['from']}&max_score={one['to']}").json()["count"]
        assert inside >= one["count"] > 0
    page = api.get(f"{url}?page_size=7").json()
    following = api.get(page["next"]).json()
    assert len({one["image"] for one in page["results"] + following["results"]}) == 14
    first = page["results"][0]
    image = api.get(f"/api/v1/images/{first['image']}/").json()
    assert {name: first[name] for name in ("filename", "width", "height")} == {
        name: image[name] for name in ("filename", "width", "height")
    }
    assert not first["is_deleted"] and api.get(first["thumbnail"]).status_code == 200
    Image.objects.filter(pk=first["image"]).delete()
    (after,) = (one for one in api.get(f"{url}?page_size=7").json()["results"] if one["image"] == first["image"])
    assert after["is_deleted"] and after["filename"] is None and api.get(after["thumbnail"]).status_code == 200
    assert code_of(api.get(f"{url}?label=square")) == "unknown_label"


@slow
def test_pictures_of_figures(api, evaluated, outsider):
    for name in ("confusion", "precision_recall", "roc", "calibration"):
        url = f"/api/v1/evaluations/{evaluated['id']}/pictures/{name}/"
        svg, png = api.get(url), api.get(f"{url}?kind=png")
        assert svg["Content-Type"] == "image/svg+xml" and b"<svg" in svg.content and b"<script" not in svg.content
        assert Pillow.open(io.BytesIO(png.content)).size[0] > 300
        assert client_of(outsider).get(url).status_code == 404
    assert api.get(f"/api/v1/evaluations/{evaluated['id']}/pictures/nothing/").status_code == 404
    assert code_of(api.get(f"{url}?kind=gif")) == "invalid_choice"


@slow
@pytest.mark.usefixtures("engine_in_process")
def test_an_exported_file_is_measured_by_its_runtime(api, classifier):
    run(api, f"models/{classifier.pk}/exports/", {"kinds": ["onnx", "litert-dynamic"]})
    found = {}
    for kind in ("litert-float32", "onnx", "litert-dynamic", "keras"):
        body = {"snapshot": str(classifier.snapshot_id), "file_kind": kind}
        job = run(api, f"models/{classifier.pk}/evaluations/", body)
        found[kind] = Evaluation.objects.get(pk=job["result"]["evaluation"])
        assert found[kind].file_kind == kind
    accuracies = {kind: one.metrics["accuracy"] for kind, one in found.items()}
    assert accuracies["onnx"] == accuracies["keras"] == accuracies["litert-float32"]
    assert abs(accuracies["litert-dynamic"] - accuracies["keras"]) < 0.1
    body = {"snapshot": str(classifier.snapshot_id), "file_kind": "saved_model"}
    assert code_of(api.post(f"/api/v1/models/{classifier.pk}/evaluations/", body)) == "no_file"


@slow
def test_what_a_training_measured_has_no_images_to_show(api, classifier):
    evaluation = Evaluation.objects.create(model=classifier, split="test", metrics={"count": 1}, mistakes=[])
    answer = api.get(f"/api/v1/evaluations/{evaluation.pk}/images/")
    assert answer.status_code == 409 and code_of(answer) == "not_evaluated"
    assert api.get(f"/api/v1/evaluations/{evaluation.pk}/pictures/roc/").status_code == 404


@slow
def test_boxes_lead_to_their_images_too(api, detector):
    body = {"snapshot": str(detector.snapshot_id), "split": "train"}
    job = run(api, f"models/{detector.pk}/evaluations/", body)
    url = f"/api/v1/evaluations/{job['result']['evaluation']}/"
    metrics = api.get(url).json()["metrics"]
    every = api.get(f"{url}images/?page_size=500").json()["results"]
    assert len(every) == metrics["count"]
    for one in every:
        matches = Counter(box["match"] for box in one["boxes"])
        assert (matches["hit"], matches["false_positive"], matches["miss"]) == (
            one["hits"],
            one["false_positives"],
            one["misses"],
        )
        for box in one["boxes"]:
            assert (box["box"] is None) == (box["score"] is None) == (box["match"] == "miss")
            assert (box["annotation"] is None) == (box["match"] == "false_positive")
        annotated = api.get(f"/api/v1/images/{one['image']}/").json()["annotations"]
        drawn = sorted(box["annotation"] for box in one["boxes"] if box["annotation"])
        assert np.allclose(drawn, sorted(mark["box"] for mark in annotated), atol=0.02)
    hits, found = (sum(one[name] for one in every) for name in ("hits", "false_positives"))
    assert hits / (hits + found) == pytest.approx(metrics["precision"])
    assert hits / (hits + sum(one["misses"] for one in every)) == pytest.approx(metrics["recall"])
    assert api.get(f"{url}images/?outcome=miss").json()["count"] == sum(one["misses"] > 0 for one in every)
    at = min(api.get(url).json()["curves"]["thresholds"], key=lambda row: abs(row["threshold"] - metrics["threshold"]))
    assert at["precision"] == pytest.approx(metrics["precision"]) and at["recall"] == pytest.approx(metrics["recall"])
    for name in ("confusion", "precision_recall"):
        assert b"<svg" in api.get(f"{url}pictures/{name}/").content


# Comparisons


@pytest.fixture
def contrary(project, owner, classifier, classifier_files) -> Model:
    return register_model(
        project=project,
        name="Contrary",
        class_names=["disc", "cross"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files=classifier_files,
        user=owner,
    )


@slow
def test_two_models_side_by_side(api, classifier, contrary, outsider, viewer):
    ids, snapshot = [str(classifier.pk), str(contrary.pk)], str(classifier.snapshot_id)
    url = f"/api/v1/models/compare/?ids={','.join(ids)}&split=train"
    refused = api.get(url)
    assert refused.status_code == 409 and code_of(refused) == "not_evaluated"
    assert client_of(viewer).post("/api/v1/models/compare/", {"ids": ids, "snapshot": snapshot}).status_code == 403
    job = run(api, "models/compare/", {"ids": ids, "snapshot": snapshot, "split": "train"})
    answer = client_of(viewer).get(url)
    assert answer.status_code == 200, answer.content
    found = answer.json()
    shown = found["differences"][0]
    assert not shown["is_deleted"] and shown["filename"] and api.get(shown["thumbnail"]).status_code == 200
    bare = [{name: one[name] for name in ("image", "label", "answers")} for one in found["differences"]]
    assert {**found, "differences": bare} == {
        key: value for key, value in job["result"].items() if key not in ("kind", "files")
    }
    first, second = found["models"]
    assert first["accuracy"] + second["accuracy"] == pytest.approx(1) and first["accuracy"] > 0.8
    (pair,) = found["pairs"]
    assert pair["is_significant"] and pair["p_value"] < 1e-6 and pair["test"] == "mcnemar_exact"
    assert pair["difference"] == pytest.approx(second["accuracy"] - first["accuracy"])
    assert pair["interval"][0] <= pair["difference"] < pair["interval"][1] < 0
    assert len(found["differences"]) == found["images"] <= 200
    assert {one["label"] for one in found["differences"][0]["answers"]} == {"cross", "disc"}
    assert client_of(outsider).get(url).status_code == 400
    # Measured once: nothing is measured again.
    run(api, "models/compare/", {"ids": ids, "snapshot": snapshot, "split": "train"})
    assert Evaluation.objects.count() == 2


@slow
def test_a_model_and_itself_do_not_differ(api, detector, owner, detector_files):
    twin = register_model(
        project=detector.project,
        name="Twin",
        class_names=detector.class_names,
        architecture="retinanet_resnet18",
        input_size=(96, 96),
        parameters=1,
        files=detector_files,
        user=owner,
        detector=detector.detector,
    )
    ids = [str(detector.pk), str(twin.pk)]
    found = run(api, "models/compare/", {"ids": ids, "snapshot": str(detector.snapshot_id)})["result"]
    (pair,) = found["pairs"]
    assert pair["difference"] == 0 and not pair["is_significant"] and found["differences"] == []
    assert found["models"][0]["ap50"] == found["models"][1]["ap50"]


BAD_COMPARISONS = [("one", "invalid"), ("nonsense", "invalid"), ("missing", "does_not_exist")]


@slow
@pytest.mark.parametrize(("case", "code"), BAD_COMPARISONS)
def test_comparisons_that_cannot_be_made(api, classifier, case, code):
    ids = {"one": str(classifier.pk), "nonsense": "a,b", "missing": f"{classifier.pk},{classifier.snapshot_id}"}[case]
    answer = api.get(f"/api/v1/models/compare/?ids={ids}")
    assert answer.status_code == 400 and code_of(answer) == code


# Explanations


@slow
def test_the_picture_shows_where_the_model_looks(api, dataset, classifier, outsider):
    image = Image.objects.filter(annotations__label__name="disc").first()
    job = run(api, f"models/{classifier.pk}/explanations/", {"image": str(image.pk)})
    result = job["result"]
    heat = np.array(result["heat"])
    assert heat.shape == (14, 14) and result["label"] in ("disc", "cross") and result["method"] == "occlusion"
    sizes = {
        file["name"]: Pillow.open(io.BytesIO(b"".join(api.get(file["url"]).streaming_content))).size
        for file in result["files"]
    }
    # Large enough to be looked at, however small the image is; and the image beside it.
    assert sizes["explanation.png"] == (512, 512) and min(sizes["explanation-chart.png"]) > 512
    other = run(api, f"models/{classifier.pk}/explanations/", {"image": str(image.pk), "label": "cross"})
    assert other["result"]["label"] == "cross"
    foreign = client_of(outsider).post(f"/api/v1/models/{classifier.pk}/explanations/", {"image": str(image.pk)})
    assert foreign.status_code == 404


@slow
def test_a_picture_that_is_sent_along_is_explained(api, detector):
    file = SimpleUploadedFile("scene.png", scene(3)[0], "image/png")
    job = run(api, f"models/{detector.pk}/explanations/", {"file": file}, format="multipart")
    assert job["result"]["box"] is not None and job["result"]["score"] > 0
    broken = SimpleUploadedFile("scene.png", b"no image", "image/png")
    answer = api.post(f"/api/v1/models/{detector.pk}/explanations/", {"file": broken}, format="multipart")
    assert answer.status_code == 400 and code_of(answer) == "not_an_image"
    answer = api.post(f"/api/v1/models/{detector.pk}/explanations/", {"label": "cat", "file": file}, format="multipart")
    assert answer.status_code == 400


def test_the_heat_is_where_the_evidence_is():
    from vision.analysis.saliency import occlusion_map

    pixels = np.zeros((56, 56, 3), np.uint8)
    pixels[8:16, 40:48] = 255  # two cells by two
    heat = occlusion_map(lambda shown: float((shown[8:16, 40:48] == 255).mean()), pixels)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert (row, column) in {(2, 10), (2, 11), (3, 10), (3, 11)}
    assert heat[9:, :6].max() == 0 and heat.max() > 0.5


def test_lists_take_few_queries(api, suggested, project, django_assert_max_num_queries):
    model = Model.objects.create(
        project=project,
        name="m",
        version=1,
        task="classification",
        class_names=["good"],
        architecture="x",
        input_height=32,
        input_width=32,
        parameters=1,
    )
    for rank, one in enumerate(suggested, start=1):
        common = {"model": model, "dataset": one.image.dataset, "image": one.image, "rank": rank}
        LabelingCandidate.objects.create(uncertainty=0.5, **common)
        LabelIssue.objects.create(kind="label", quality=0.1, is_issue=True, **common)
    for name in ("suggestions", "suspects"):
        with django_assert_max_num_queries(6):
            assert len(api.get(f"/api/v1/{name}/").json()["results"]) == 4
