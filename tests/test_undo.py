"""Every change of images, annotations and labels can be taken back, unless somebody changed the same since."""

from __future__ import annotations

import pytest

from datasets.models import Annotation, Dataset, Image, Label
from mlstudio.counts import correct_counts
from projects.changes.models import Change
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.test_kept_counts import World, kept

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("changes that are taken back")]
API = "/api/v1"


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)], label="good", split="train")["created"]


def state(project) -> tuple:
    """All that can be changed, but for revisions and the history."""
    fields = (
        "pk",
        "label",
        "image",
        "x_min",
        "y_min",
        "x_max",
        "y_max",
        "origin",
        "score",
        "confirmed",
        "created_by",
        "created_at",
    )
    labels = Label.objects.filter(project=project).order_by("pk")
    datasets = Dataset.objects.filter(project=project).order_by("pk")
    return (
        sorted(map(str, Annotation.objects.filter(image__dataset__project=project).values_list(*fields))),
        sorted(
            map(
                str,
                Image.objects.filter(dataset__project=project).values_list(
                    "pk",
                    "dataset",
                    "filename",
                    "split",
                    "group",
                    "reviewed",
                    "facets",
                    "annotation_count",
                    "lowest_score",
                ),
            )
        ),
        list(labels.values_list("pk", "name", "color", "order", "hotkey")),
        list(datasets.values_list("pk", "name", "description", "image_count")),
    )


def undo(api, change: str, status: int = 200) -> dict:
    answer = api.post(f"{API}/changes/{change}/undo/")
    assert answer.status_code == status, answer.content
    return answer.json()


def changes_of_every_kind(api, project, dataset, images, labels):
    ids = [one["id"] for one in images]
    other = api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "o"}).json()["id"]
    good, bad = (f"{API}/projects/{project.pk}/labels/{labels[name]['id']}/" for name in ("good", "bad"))
    bulk = f"{API}/images/bulk/"
    return {
        "annotate": lambda: api.put(f"{API}/images/{ids[0]}/annotations/", [{"label": "bad"}], format="json"),
        "patch": lambda: api.patch(f"{API}/images/{ids[0]}/", {"filename": "n.jpg", "split": None, "group": "g"}),
        "label": lambda: api.post(bulk, {"images": ids, "action": "label", "label": "bad"}, format="json"),
        "unlabel": lambda: api.post(bulk, {"images": ids, "action": "unlabel"}, format="json"),
        "split": lambda: api.post(bulk, {"images": ids, "action": "split", "split": "test"}, format="json"),
        "group": lambda: api.post(bulk, {"images": ids, "action": "group", "group": "a"}, format="json"),
        "move": lambda: api.post(bulk, {"images": ids, "action": "move", "dataset": other}, format="json"),
        "rename label": lambda: api.patch(good, {"name": "fine", "color": "#111111", "hotkey": "f"}, format="json"),
        "new label": lambda: api.post(f"{API}/projects/{project.pk}/labels/", {"name": "odd"}),
        "unlabel and delete": lambda: api.delete(f"{good}?images=unlabel"),
        "delete a label that nothing carries": lambda: api.delete(bad),
        "merge": lambda: api.post(f"{good}merge/", {"into": labels["bad"]["id"]}),
        "reorder": lambda: api.post(
            f"{API}/projects/{project.pk}/labels/reorder/", {"labels": [labels["bad"]["id"], labels["good"]["id"]]}
        ),
        "dataset": lambda: api.patch(f"{API}/datasets/{dataset['id']}/", {"name": "renamed", "description": "d"}),
    }


KINDS = [
    "annotate",
    "patch",
    "label",
    "unlabel",
    "split",
    "group",
    "move",
    "rename label",
    "new label",
    "unlabel and delete",
    "delete a label that nothing carries",
    "merge",
    "reorder",
    "dataset",
]


@pytest.mark.parametrize("kind", KINDS)
def test_back_and_forth_again(api, project, dataset, images, labels, kind):
    make = changes_of_every_kind(api, project, dataset, images, labels)[kind]
    before = state(project)
    answer = make()
    assert answer.status_code < 300, answer.content
    after = state(project)
    assert before != after and correct_counts() == 0
    undone = undo(api, answer["X-Change"])
    assert state(project) == before and correct_counts() == 0
    assert (undone["action"], undone["undo_of"]) == ("undo", answer["X-Change"])
    redone = undo(api, undone["id"])
    assert state(project) == after and correct_counts() == 0
    undo(api, redone["id"])
    assert state(project) == before


@pytest.mark.parametrize("task", ["classification", "detection"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_sequence_taken_back_in_its_order(owner, task, seed):
    world = World(owner, task, seed)
    world.add()
    world.suggest()
    world.delete = world.add = world.suggest = lambda: None  # type: ignore[method-assign] - not taken back
    before, names = state(world.project), set(Change.objects.values_list("pk", flat=True))
    counts = kept()
    steps = 0
    while steps < 15:
        choices = [world.annotate, world.review, world.bulk, world.patch]
        world.random.choice(choices)()
        steps += 1
    made = Change.objects.exclude(pk__in=names).order_by("-pk")
    for change in made:
        undo(world.api, str(change.pk))
    assert made.count() > 5
    assert state(world.project) == before and kept() == counts and correct_counts() == 0


def test_what_changed_since_is_named(api, project, images):
    url = f"{API}/images/bulk/"
    first = api.post(url, {"images": [one["id"] for one in images], "action": "split", "split": "test"}, format="json")
    api.patch(f"{API}/images/{images[2]['id']}/", {"split": None}, format="json")
    before = state(project)
    answer = undo(api, first["X-Change"], 409)
    assert answer["errors"][0]["code"] == "changed_since"
    assert answer["changed"] == [{"kind": "image", "id": images[2]["id"], "name": "2.jpg", "reason": ""}]
    assert state(project) == before


def test_one_persons_undo_does_not_take_the_work_of_another(api, images, editor, labels):
    url = f"{API}/images/{images[0]['id']}/annotations/"
    mine = api.put(url, [{"label": "bad"}], format="json")
    client_of(editor).put(url, [], format="json")
    assert undo(api, mine["X-Change"], 409)["errors"][0]["code"] == "changed_since"
    assert api.get(url).json()["annotations"] == []


def test_a_label_whose_name_is_taken(api, project, labels):
    url = f"{API}/projects/{project.pk}/labels/"
    gone = api.delete(f"{url}{labels['bad']['id']}/")
    api.post(url, {"name": "bad"})
    assert undo(api, gone["X-Change"], 409)["changed"][0]["kind"] == "label"


def test_a_label_that_is_carried_since(api, project, images):
    made = api.post(f"{API}/projects/{project.pk}/labels/", {"name": "odd"})
    api.put(f"{API}/images/{images[0]['id']}/annotations/", [{"label": "odd"}], format="json")
    assert undo(api, made["X-Change"], 409)["changed"][0]["name"] == "odd"


def test_once(api, images):
    made = api.patch(f"{API}/images/{images[0]['id']}/", {"split": None}, format="json")
    undo(api, made["X-Change"])
    assert undo(api, made["X-Change"], 409)["errors"][0]["code"] == "already_undone"


def test_what_changes_nothing_is_no_change(api, images):
    made = api.patch(f"{API}/images/{images[0]['id']}/", {"split": "train"}, format="json")
    assert made.status_code == 200 and "X-Change" not in made
    assert not api.put(f"{API}/images/{images[0]['id']}/annotations/", [{"label": "good"}], format="json").has_header(
        "X-Change"
    )
    refused = api.put(f"{API}/images/{images[0]['id']}/annotations/", [{"label": "none"}], format="json")
    assert refused.status_code == 400 and not Change.objects.filter(details__image=images[0]["id"]).exists()


def test_the_list(api, project, images, labels, django_assert_max_num_queries):
    for split in ("test", "validation"):
        api.post(f"{API}/images/bulk/", {"images": [images[0]["id"]], "action": "split", "split": split}, format="json")
    with django_assert_max_num_queries(4):
        rows = api.get(f"{API}/changes/?project={project.pk}").json()["results"]
    assert [(row["action"], row["details"], row["rows"], row["changed_by"]) for row in rows[:2]] == [
        ("split", {"split": "validation"}, 1, "owner"),
        ("split", {"split": "test"}, 1, "owner"),
    ]
    undo(api, rows[0]["id"])
    rows = api.get(f"{API}/changes/?project={project.pk}").json()["results"]
    assert rows[0]["undo_of"] == rows[1]["id"] and rows[1]["undone_by"] == rows[0]["id"]
    assert rows[0]["details"] == {"action": "split"}


def test_who_may(api, images, viewer, outsider, client):
    made = api.patch(f"{API}/images/{images[0]['id']}/", {"split": None}, format="json")["X-Change"]
    for who, reading, writing in ((client, 401, 401), (client_of(outsider), 404, 404), (client_of(viewer), 200, 403)):
        assert who.get(f"{API}/changes/{made}/").status_code == reading
        assert who.post(f"{API}/changes/{made}/undo/").status_code == writing
    assert client_of(outsider).get(f"{API}/changes/").json()["results"] == []
    assert Image.objects.get(pk=images[0]["id"]).split is None


def test_with_an_idempotency_key(api, images):
    url, key = f"{API}/images/{images[0]['id']}/", {"HTTP_IDEMPOTENCY_KEY": "k"}
    answers = [api.patch(url, {"split": None}, format="json", **key) for _ in range(2)]
    assert (
        answers[0]["X-Change"] == answers[1]["X-Change"] and Change.objects.filter(action="rename_image").count() == 1
    )


def test_old_changes_are_forgotten(api, images, settings):
    from projects.changes.undoing import delete_old_changes

    made = api.put(f"{API}/images/{images[0]['id']}/annotations/", [], format="json")["X-Change"]
    assert delete_old_changes() == 0
    settings.TRASH_DAYS = -1
    assert delete_old_changes() > 0
    assert api.post(f"{API}/changes/{made}/undo/").status_code == 404
    assert len(api.get(f"{API}/images/{images[0]['id']}/history/").json()["results"]) == 1


def test_an_id_that_somebody_else_took_meanwhile_does_not_keep_an_annotation_away(api, project, images, outsider):
    """Ids are chosen by clients: who knows one of another project's could have kept it from coming back."""
    path = f"{API}/images/{images[0]['id']}/annotations/"
    mark = api.get(path).json()["annotations"][0]
    gone = api.put(path, [], format="json")["X-Change"]
    stranger = client_of(outsider)
    own = stranger.post(f"{API}/projects/", {"name": "own"}).json()["id"]
    stranger.post(f"{API}/projects/{own}/labels/", {"name": "theirs"})
    other = stranger.post(f"{API}/datasets/", {"project": own, "name": "d"}).json()
    theirs = upload(stranger, other, [("x.jpg", jpeg(50))])["created"][0]
    taken = stranger.put(
        f"{API}/images/{theirs['id']}/annotations/", [{"id": mark["id"], "label": "theirs"}], format="json"
    )
    assert taken.json()["annotations"][0]["id"] == mark["id"]
    made = undo(api, gone)
    back = api.get(path).json()["annotations"]
    assert [(one["label"], one["origin"], one["created_at"]) for one in back] == [("good", "human", mark["created_at"])]
    assert Annotation.objects.get(pk=mark["id"]).image_id == Image.objects.get(pk=theirs["id"]).pk
    undo(api, undo(api, made["id"])["id"])  # away, and back once more
    assert len(api.get(path).json()["annotations"]) == 1 and correct_counts() == 0
