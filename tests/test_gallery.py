"""Any place in a list of images, counts beside its filters, neighbours, light rows."""

from __future__ import annotations

import gzip
import json
import uuid

import pytest

from datasets.models import Annotation, Image
from projects.services import create_project
from tests.conftest import client_of, upload
from tests.pictures import encoded, jpeg

pytestmark = pytest.mark.django_db
URL = "/api/v1/images/"
NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def gallery(api, dataset, labels) -> list[dict]:
    """Nine images: 4 good in train, 3 bad in test (one a PNG), 2 without anything. The newest last."""
    good = upload(api, dataset, [(f"g{n}.jpg", jpeg(n)) for n in range(4)], label="good", split="train")["created"]
    files = [("b0.jpg", jpeg(10)), ("b1.jpg", jpeg(11)), ("b2.png", encoded(12, "PNG"))]
    bad = upload(api, dataset, files, label="bad", split="test")["created"]
    bare = upload(api, dataset, [(f"n{n}.jpg", jpeg(20 + n)) for n in range(2)])["created"]
    return [*good, *bad, *bare]


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def suggest(image: dict, label: dict, score: float) -> None:
    from datasets.gallery.keeping import settle

    Annotation.objects.create(image_id=image["id"], label_id=label["id"], origin="model", score=score, confirmed=False)
    settle([uuid.UUID(image["id"])])


class TestOffset:
    def test_a_page_begins_anywhere(self, api, gallery, dataset):
        newest_first = [one["id"] for one in reversed(gallery)]
        for offset in range(11):
            answer = api.get(f"{URL}?dataset={dataset['id']}&offset={offset}&page_size=2")
            assert ids(answer) == newest_first[offset : offset + 2], offset
            page = answer.json()
            assert (page["start"], page["total"]) == (offset, 9)
            assert (page["next"] is None) == (offset >= 7) and (page["previous"] is None) == (offset == 0)

    def test_next_and_previous_lead_on(self, api, gallery):
        page = api.get(f"{URL}?offset=3&page_size=3").json()
        after, before = api.get(page["next"]).json(), api.get(page["previous"]).json()
        assert (before["start"], page["start"], after["start"]) == (0, 3, 6)
        seen = [one["id"] for part in (before, page, after) for one in part["results"]]
        assert seen == [one["id"] for one in reversed(gallery)]

    def test_pages_by_cursor_say_no_place(self, api, gallery):
        page = api.get(f"{URL}?page_size=4").json()
        assert (page["start"], page["total"]) == (None, None) and page["next"]
        assert len(ids(api.get(page["next"]))) == 4

    @pytest.mark.parametrize(
        "query",
        [
            "offset=-1",
            "offset=x",
            "offset=99999999999",
            "offset=1&cursor=abc",
            "fields=none",
            "ordering=age",
            "seed=-1&ordering=random",
        ],
    )
    def test_what_is_no_place_is_refused(self, api, gallery, query):
        assert api.get(f"{URL}?{query}").status_code == 400

    @pytest.mark.parametrize("ordering", ["filename", "-filename", "size", "-size", "created", "uncertainty", "random"])
    def test_every_order_has_one_place_for_each_image(self, api, gallery, ordering):
        whole = ids(api.get(f"{URL}?ordering={ordering}&page_size=100&seed=5"))
        assert sorted(whole) == sorted(one["id"] for one in gallery)
        by_offset = [ids(api.get(f"{URL}?ordering={ordering}&page_size=1&seed=5&offset={n}"))[0] for n in range(9)]
        assert by_offset == whole
        page, by_cursor = api.get(f"{URL}?ordering={ordering}&page_size=2&seed=5").json(), []
        while True:
            by_cursor += [one["id"] for one in page["results"]]
            if page["next"] is None:
                break
            page = api.get(page["next"]).json()
        assert by_cursor == whole

    def test_seeds_shuffle_differently(self, api, gallery):
        orders = {tuple(ids(api.get(f"{URL}?ordering=random&seed={seed}"))) for seed in range(4)}
        assert len(orders) == 4
        assert ids(api.get(f"{URL}?ordering=random&seed=2")) == ids(api.get(f"{URL}?ordering=random&seed=2"))

    def test_the_least_sure_come_first(self, api, gallery, labels):
        suggest(gallery[7], labels["good"], 0.9)
        suggest(gallery[8], labels["bad"], 0.4)
        assert ids(api.get(f"{URL}?ordering=uncertainty"))[:2] == [gallery[8]["id"], gallery[7]["id"]]


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("label=good", 4), ("label=good&label=bad", 7), ("label=good&label=bad&label_mode=all", 0),
            ("without_label=good", 5), ("without_label=good&without_label=bad", 2), ("label=unheard-of", 0),
            ("split=none", 2), ("split=test&label=bad", 3), ("split=train&label=bad", 0), ("reviewed=true", 7),
            ("annotated=false", 2), ("origin=human", 7), ("origin=none", 2), ("origin=model", 0),
            ("image_format=PNG", 1), ("image_format=PNG&split=test", 1), ("q=B", 3), ("filename=b2", 1),
            ("source=upload", 9),
            ("source=other", 0), ("group=x", 0), (f"job={NOBODY}", 0), ("created_after=2020-01-01T00:00:00Z", 9),
            ("created_before=2020-01-01T00:00:00Z", 0), ("has_suggestions=true", 0), ("unconfirmed=false", 9),
            (f"dataset={NOBODY}", 0), (f"project={NOBODY}", 0),
        ],
    )  # fmt: skip
    def test_lists_offsets_and_totals_agree(self, api, gallery, query, expected):
        by_cursor = ids(api.get(f"{URL}?{query}&page_size=100"))
        by_offset = api.get(f"{URL}?{query}&page_size=100&offset=0")
        assert len(by_cursor) == expected and ids(by_offset) == by_cursor
        assert by_offset.json()["total"] == expected
        assert api.get(f"{URL}facets/?{query}").json()["total"] == expected

    def test_scores_of_suggestions(self, api, gallery, labels):
        suggest(gallery[7], labels["good"], 0.9)
        suggest(gallery[8], labels["bad"], 0.4)
        for query, expected in (
            ("min_score=0.5", [7]),
            ("max_score=0.5", [8]),
            ("min_score=0.3&max_score=0.95", [8, 7]),
            ("min_score=0.3&label=good", [7]),
            ("has_suggestions=true", [8, 7]),
            ("origin=model&label=bad", [8]),
        ):
            assert ids(api.get(f"{URL}?{query}&offset=0")) == [gallery[n]["id"] for n in expected], query

    @pytest.mark.parametrize(
        "query", ["min_score=2", "split=all", "project=x", "label=" + "x" * 101, "label_mode=some"]
    )
    def test_values_that_make_no_sense(self, api, gallery, query):
        for path in (URL, f"{URL}facets/", f"{URL}{gallery[0]['id']}/neighbours/"):
            assert api.get(f"{path}?{query}").status_code == 400, path


class TestFacets:
    def test_each_count_is_of_the_other_filters(self, api, gallery, dataset, project):
        facets = api.get(f"{URL}facets/?project={project.pk}&split=test").json()
        assert facets["total"] == 3 and facets["unlabelled"] == 0
        assert {one["name"]: one["count"] for one in facets["labels"]} == {"good": 0, "bad": 3}
        assert {one["value"]: one["count"] for one in facets["splits"]} == {"train": 4, "test": 3, "none": 2}
        assert {one["value"]: one["count"] for one in facets["image_formats"]} == {"JPEG": 2, "PNG": 1}
        assert {one["value"]: one["count"] for one in facets["origins"]} == {"human": 3}
        assert (facets["annotated"], facets["reviewed"]) == ({"yes": 3, "no": 0}, {"yes": 3, "no": 0})
        assert facets["has_suggestions"] == {"yes": 0, "no": 3}
        assert facets["datasets"] == [{"id": dataset["id"], "name": "photos", "count": 3}]

    def test_with_a_label(self, api, gallery, project):
        facets = api.get(f"{URL}facets/?project={project.pk}&label=bad").json()
        assert facets["total"] == 3 and facets["unlabelled"] == 2
        assert {one["name"]: one["count"] for one in facets["labels"]} == {"good": 4, "bad": 3}
        assert facets["splits"] == [{"value": "test", "count": 3}]

    @pytest.mark.parametrize("query", ["", "split=test", "label=good", "label=bad&annotated=true", "annotated=false"])
    def test_counting_rows_gives_what_is_kept(self, api, gallery, project, query):
        """A condition that no kept count knows, and that all images meet, changes nothing."""
        kept = api.get(f"{URL}facets/?project={project.pk}&{query}").json()
        counted = api.get(f"{URL}facets/?project={project.pk}&{query}&source=upload").json()
        assert counted == kept

    def test_another_dataset(self, api, gallery, dataset, project):
        other = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "more"}).json()
        moved = [gallery[0]["id"], gallery[4]["id"]]
        api.post(f"{URL}bulk/", {"images": moved, "action": "move", "dataset": other["id"]}, format="json")
        facets = api.get(f"{URL}facets/?dataset={other['id']}").json()
        assert facets["total"] == 2
        assert {one["name"]: one["count"] for one in facets["datasets"]} == {"photos": 7, "more": 2}
        both = api.get(f"{URL}?project={project.pk}&offset=0")
        assert ids(both) == [one["id"] for one in reversed(gallery)] and both.json()["total"] == 9

    def test_few_queries(self, api, gallery, project, django_assert_max_num_queries):
        with django_assert_max_num_queries(10):
            api.get(f"{URL}facets/?project={project.pk}&split=test&label=bad")


class TestNeighbours:
    @pytest.mark.parametrize("few", [0, 10_000])
    def test_along_the_list(self, api, gallery, monkeypatch, few):
        monkeypatch.setattr("datasets.gallery.windows.FEW", few)
        order = [one["id"] for one in reversed(gallery)]
        for place, pk in enumerate(order):
            answer = api.get(f"{URL}{pk}/neighbours/").json()
            assert answer["previous"] == (order[place - 1] if place else None)
            assert answer["next"] == (order[place + 1] if place < 8 else None)
            assert (answer["position"], answer["total"]) == (place, 9)

    @pytest.mark.parametrize("ordering", ["id", "filename", "-size", "random", "uncertainty"])
    def test_with_filters_and_orders(self, api, gallery, ordering):
        query = f"split=train&ordering={ordering}&seed=3"
        order = ids(api.get(f"{URL}?{query}"))
        assert len(order) == 4
        answer = api.get(f"{URL}{order[1]}/neighbours/?{query}").json()
        assert answer == {"previous": order[0], "next": order[2], "position": 1, "total": 4}

    def test_of_an_image_that_the_filter_leaves_out(self, api, gallery):
        """Somebody labels an image in a list of images without a label, and goes on from there."""
        answer = api.get(f"{URL}{gallery[5]['id']}/neighbours/?label=good").json()
        assert answer == {"previous": None, "next": gallery[3]["id"], "position": None, "total": 4}

    def test_somebody_elses(self, gallery, outsider, client):
        url = f"{URL}{gallery[0]['id']}/neighbours/"
        assert client_of(outsider).get(url).status_code == 404
        assert client.get(url).status_code == 401


class TestGrid:
    def test_a_light_row(self, api, gallery, labels, dataset):
        row = api.get(f"{URL}?fields=grid&label=good&offset=0&page_size=1").json()["results"][0]
        image = gallery[3]
        assert row == {
            "id": image["id"],
            "dataset": dataset["id"],
            "filename": "g3.jpg",
            "width": image["width"],
            "height": image["height"],
            "split": "train",
            "revision": 0,
            "reviewed": True,
            "annotated": True,
            "annotation_count": 1,
            "suggestion_count": 0,
            "labels": [labels["good"]["id"]],
            "thumbhash": None,
            "annotations": [
                {"label": labels["good"]["id"], "origin": "human", "confirmed": True, "score": None, "box": None}
            ],
            "thumbnail": f"/api/v1/images/{image['id']}/thumbnail/?size=256&v={image['sha256'][:8]}",
        }

    def test_by_cursor_and_by_offset(self, api, gallery, django_assert_max_num_queries):
        with django_assert_max_num_queries(8):
            by_cursor = api.get(f"{URL}?fields=grid").json()["results"]
        assert by_cursor == api.get(f"{URL}?fields=grid&offset=0").json()["results"] and len(by_cursor) == 9

    def test_the_first_boxes(self, owner):
        project = create_project(user=owner, name="d", task="detection")
        api = client_of(owner)
        dataset = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "d"}).json()
        label = api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": "screw"}).json()
        images = upload(api, dataset, [("a.jpg", jpeg(1, (200, 100))), ("b.jpg", jpeg(2, (200, 100)))])["created"]
        for image, count in zip(images, (20, 3), strict=True):
            boxes = [{"label": "screw", "box": [n, 0, n + 20, 50]} for n in range(count)]
            assert api.put(f"{URL}{image['id']}/annotations/", boxes, format="json").status_code == 200
        few, many = api.get(f"{URL}?fields=grid&project={project.pk}").json()["results"]
        assert (many["annotation_count"], len(many["annotations"])) == (20, 12)
        assert (few["annotation_count"], few["labels"]) == (3, [label["id"]])
        assert [one["box"] for one in few["annotations"]] == [[5 * n, 0, 5 * n + 100, 500] for n in range(3)]
        assert [one["box"][0] for one in many["annotations"]] == [5 * n for n in range(12)]


def test_other_lists_of_an_image_have_no_offset(api, gallery):
    answer = api.get(f"{URL}{gallery[0]['id']}/history/?offset=0")
    assert answer.status_code == 200 and set(answer.json()) == {"next", "previous", "results"}
    answer = api.get(URL, {"label": ["x"] * 21})
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == "max_length"


class TestWhoSees:
    def test_outsiders_see_nothing_and_viewers_all(self, gallery, outsider, viewer, project, client):
        for path in (f"{URL}?offset=0&fields=grid", f"{URL}facets/?project={project.pk}"):
            assert client.get(path).status_code == 401
            assert client_of(outsider).get(path).json()["total"] == 0
            assert client_of(viewer).get(path).json()["total"] == 9
        for query in (f"project={project.pk}", f"dataset={gallery[0]['dataset']}", f"project={project.pk}&label=good"):
            for path in (f"{URL}?{query}", f"{URL}?offset=0&{query}"):
                assert client_of(outsider).get(path).json()["results"] == []
            assert client_of(outsider).get(f"{URL}facets/?{query}").json()["total"] == 0
        assert client_of(outsider).get(f"{URL}facets/").json()["labels"] == []

    def test_misspelled_filters(self, api, gallery):
        for path in (URL, f"{URL}facets/", f"{URL}{gallery[0]['id']}/neighbours/"):
            assert api.get(f"{path}?lable=good").json()["errors"][0]["code"] == "unknown_filter"


def test_long_json_is_compressed(api, gallery, client):
    answer = api.get(f"{URL}?fields=grid", headers={"Accept-Encoding": "gzip, br"})
    assert answer["Content-Encoding"] == "gzip" and "Accept-Encoding" in answer["Vary"]
    assert len(json.loads(gzip.decompress(answer.content))["results"]) == 9
    assert int(answer["Content-Length"]) == len(answer.content)
    for headers in ({}, {"Accept-Encoding": "gzip;q=0"}):
        assert "Content-Encoding" not in api.get(f"{URL}?fields=grid", headers=headers)
    assert "Content-Encoding" not in api.get("/api/v1/users/me/", headers={"Accept-Encoding": "gzip"})


def test_images_without_a_code_are_found(api, gallery, project):
    from mlstudio.counts import correct_counts

    assert correct_counts() == 0
    Image.objects.filter(pk=gallery[0]["id"]).update(facets=None)
    assert correct_counts() > 0 and correct_counts() == 0
    assert api.get(f"{URL}facets/?project={project.pk}").json()["total"] == 9
