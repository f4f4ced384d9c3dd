"""Near-duplicates that hashes miss: found by features, in reports and in splits, and never by chains."""

from __future__ import annotations

import numpy as np
import pytest

from datasets import alike
from datasets.alike import near_by_features, with_alike
from datasets.grouping import Candidate, Grouping
from datasets.models import Dataset, Image
from datasets.splits import assign_splits
from tests.conftest import client_of
from tests.test_duplicates import report
from tests.test_live_model import add, folders, fresh, keeper, work  # noqa: F401 - fixtures
from vision.analysis.embedding import projection
from vision.analysis.feature_pairs import around_leaders, near_pairs

pytestmark = pytest.mark.any_database("features of images")
FEATURES = 64


def pairs_of(vectors: np.ndarray) -> set[tuple[int, int]]:
    stored = vectors.astype(np.float16)
    codes = (stored.astype(np.float32) @ projection(FEATURES, 32)).astype(np.float16)
    pairs = near_pairs(stored, codes, np.arange(len(stored)))
    return set(zip(pairs.starts.tolist(), pairs.ends.tolist(), strict=True))


class TestPairs:
    def test_copies_are_pairs_and_others_are_none(self):
        generator = np.random.default_rng(0)
        vectors = generator.normal(size=(60, FEATURES))
        vectors[7] = vectors[3] + generator.normal(0, 0.1, FEATURES)  # nearly the same
        vectors[20] = vectors[3] + generator.normal(0, 0.15, FEATURES)
        vectors[40] = vectors[50] + generator.normal(0, 0.8, FEATURES)  # less so, yet nothing else is near
        assert pairs_of(vectors) == {(3, 7), (3, 20), (7, 20), (40, 50)}

    def test_a_scene_whose_images_are_all_alike_has_none_but_the_same(self):
        generator = np.random.default_rng(1)
        scenes = np.repeat(generator.normal(size=(2, FEATURES)), 30, axis=0)
        vectors = scenes + generator.normal(0, 0.6, scenes.shape)
        vectors[5] = vectors[4]
        assert pairs_of(vectors) == {(4, 5)}

    @pytest.mark.parametrize("count", [0, 1, 2, 3])
    def test_few_images(self, count):
        assert pairs_of(np.random.default_rng(2).normal(size=(count, FEATURES))) == set()

    def test_more_copies_than_are_compared_are_all_found(self):
        vectors = np.random.default_rng(3).normal(size=(100, FEATURES))
        vectors[:40] = vectors[0]
        found = {one for pair in pairs_of(vectors) for one in pair}
        assert found == set(range(40))


class TestLeaders:
    def test_what_is_near_a_member_and_not_the_leader_stays_apart(self):
        # A chain 0 - 1 - 2 - 3: one leads, and what is near it alone joins.
        roots = around_leaders(np.arange(5), np.array([0, 1, 2]), np.array([1, 2, 3]), 10)
        assert roots[0] == roots[1] == roots[2] != roots[3] and len(set(roots.tolist())) == 3

    def test_groups_that_are_there_stay_whole(self):
        roots = around_leaders(np.array([0, 0, 2, 2, 4]), np.array([1]), np.array([2]), 10)
        assert len(set(roots[:4].tolist())) == 1 and roots[4] != roots[0]

    def test_a_group_takes_no_more_than_it_may(self):
        roots = around_leaders(np.arange(6), np.zeros(5, int), np.arange(1, 6), 3)
        assert np.bincount(roots).max() == 3

    def test_what_was_parted_joins_nothing(self):
        grouping = Grouping(np.arange(4), np.array([True, True, False, False]), 5)
        joined = with_alike(grouping, (np.array([0, 2]), np.array([1, 3])), 0)
        assert len(set(joined.roots.tolist())) == 3 and joined.remarks == []


def test_splits_keep_pairs_together_and_say_what_was_not_compared():
    generator = np.random.default_rng(5)
    candidates = [Candidate(f"{n}", generator.bytes(32).hex(), "a" if n % 2 else "b") for n in range(80)]
    pairs = (np.arange(0, 80, 2), np.arange(1, 80, 2))
    fractions = {"train": 0.6, "validation": 0.2, "test": 0.2}
    splits, facts = assign_splits(candidates, fractions, 1, "features", alike=(pairs, 7))
    assert all(splits[n] == splits[n + 1] for n in range(0, 80, 2))
    assert facts["near_duplicates"]["mode"] == "features" and facts["grouped_images"] == 80
    (remark,) = facts["remarks"]
    assert remark["code"] == "images_not_compared" and "7 of 80" in remark["detail"]


@pytest.mark.django_db
class TestOverHttp:
    def test_pairs_are_groups_of_the_report_and_of_splits(self, api, project, dataset, classifier, monkeypatch):
        first, second = Image.objects.filter(dataset=dataset["id"]).order_by("pk").values_list("pk", flat=True)[:2]

        def finder(of, keys):
            places = [list(keys).index(key) for key in (first, second)]
            return (np.array([min(places)]), np.array([max(places)])), 0

        monkeypatch.setattr(alike, "FINDERS", [finder])
        plain = report(api, dataset)
        assert not any(group["by_features"] for group in plain["first_groups"])
        found = report(api, dataset, by_features=True)
        (group,) = [group for group in found["first_groups"] if group["by_features"]]
        assert {str(first), str(second)} <= {image["id"] for image in group["images"]}
        summary = api.get(f"/api/v1/datasets/{dataset['id']}/duplicates/").json()
        listed = api.get("/api/v1/duplicate-groups/", {"dataset": dataset["id"], "by_features": "true"}).json()
        assert summary["by_features"] == len(listed["results"]) == 1 and listed["results"][0]["by_features"]

        answer = api.patch(f"/api/v1/datasets/{dataset['id']}/", {"near_duplicates": "features"})
        assert answer.json()["near_duplicates"] == "features"
        snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
        assert snapshot["counts"]["near_duplicates"]["mode"] == "features"
        rows = api.get(f"/api/v1/snapshots/{snapshot['id']}/images/", {"page_size": 500}).json()["results"]
        sides = {row["split"] for row in rows if row["image"] in (str(first), str(second))}
        assert len(sides) == 1

    def test_features_of_a_project_are_asked_and_missing_ones_are_counted(self, api, project, fresh, keeper):  # noqa: F811
        keys = list(Image.objects.filter(dataset__project=project).order_by("pk").values_list("pk", flat=True))
        assert near_by_features(project, keys)[1] == len(keys)
        work()
        (starts, ends), missing = near_by_features(project, keys)
        assert missing == 0 and (starts < ends).all() and len(starts) == len(ends)
        add(api, fresh, 2)
        more = list(Image.objects.filter(dataset__project=project).order_by("pk").values_list("pk", flat=True))
        assert near_by_features(project, more)[1] == 2
        api.patch(f"/api/v1/datasets/{fresh['id']}/", {"near_duplicates": "features"})
        found = report(api, fresh)
        assert [remark["code"] for remark in found["remarks"]] == ["images_not_compared"]

    def test_without_an_embedder_hashes_alone_decide(self, api, project, dataset):
        add(api, dataset, 2)
        found = report(api, dataset, by_features=True)
        assert found["groups"] == 0 and [remark["code"] for remark in found["remarks"]] == ["images_not_compared"]

    def test_who_may_ask(self, dataset, viewer, outsider):
        where = f"/api/v1/datasets/{dataset['id']}/duplicates/"
        assert client_of(viewer).post(where, {"by_features": True}).status_code == 403
        assert client_of(outsider).post(where, {"by_features": True}).status_code == 404
        assert Dataset.objects.get(pk=dataset["id"]).near_duplicates == "strict"

    @pytest.mark.parametrize("body", [{"by_features": "perhaps"}, {"by_feature": True}])
    def test_wrong_input(self, api, dataset, body):
        assert api.post(f"/api/v1/datasets/{dataset['id']}/duplicates/", body).status_code == 400
        answer = api.patch(f"/api/v1/datasets/{dataset['id']}/", {"near_duplicates": "magic"})
        assert answer.status_code == 400
