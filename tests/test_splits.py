"""Near-duplicates, groups and splits."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datasets.splits import Candidate, assign_splits
from tests.conftest import upload
from tests.pictures import encoded, jpeg, pixels
from vision.imaging.hashing import perceptual_hash
from vision.imaging.near_duplicates import near_duplicate_groups
from vision.imaging.preprocessing import decode_upright, open_image

FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}


def hash_of(content: bytes) -> str:
    with open_image(content) as image:
        return perceptual_hash(decode_upright(image))


def altered(seed: int, how: str) -> bytes:
    image = Image.fromarray(pixels(seed, (240, 160)))
    if how == "smaller":
        image = image.resize((120, 80))
    elif how == "brighter":
        image = image.point(lambda value: min(255, int(value * 1.15)))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=40 if how == "recompressed" else 92)
    return target.getvalue()


@pytest.mark.parametrize("how", ["recompressed", "smaller", "brighter"])
def test_a_copy_is_a_look_alike(how):
    for seed in range(10):
        groups = near_duplicate_groups([hash_of(encoded(seed, "PNG", (240, 160))), hash_of(altered(seed, how))])
        assert groups[0] == groups[1]


def test_other_pictures_are_no_look_alikes():
    groups = near_duplicate_groups([hash_of(encoded(seed, "PNG", (240, 160))) for seed in range(200)])
    assert len(set(groups)) == 200


@given(st.lists(st.tuples(st.integers(0, 6), st.lists(st.integers(0, 255), max_size=14)), max_size=40))
def test_groups_equal_those_of_a_plain_search(parts):
    """Against comparing every pair: hashes within 15 bits of each other always meet, none beyond 20."""
    generator = np.random.default_rng(5)
    bases = [generator.integers(0, 2, 256) for _ in range(7)]
    bits = []
    for base, flips in parts:
        one = bases[base].copy()
        one[flips] ^= 1
        bits.append(one)
    hashes = [np.packbits(one).tobytes().hex() for one in bits]
    groups = near_duplicate_groups(hashes, max_bits=15)
    parents = list(range(len(bits)))

    def root(index: int) -> int:
        return index if parents[index] == index else root(parents[index])

    for a in range(len(bits)):
        for b in range(a):
            if (bits[a] != bits[b]).sum() <= 15:
                parents[root(a)] = root(b)
    plain = [root(index) for index in range(len(bits))]
    assert all((groups[a] == groups[b]) == (plain[a] == plain[b]) for a in range(len(bits)) for b in range(a))


def candidate(number: int, label: str = "a", **fields) -> Candidate:
    phash = np.random.default_rng(number).bytes(32).hex()
    return Candidate(**{"key": f"{number:064x}", "phash": phash, "label": label, **fields})


def test_splits_are_stratified_and_repeatable():
    candidates = [candidate(n, "ab"[n % 10 == 0]) for n in range(1000)]
    splits, _ = assign_splits(candidates, FRACTIONS, seed=1)
    for label, total in (("a", 900), ("b", 100)):
        mine = [split for split, one in zip(splits, candidates, strict=True) if one.label == label]
        assert abs(mine.count("train") - 0.7 * total) <= 1 and abs(mine.count("test") - 0.15 * total) <= 1
    assert assign_splits(candidates, FRACTIONS, seed=1)[0] == splits
    assert assign_splits(candidates, FRACTIONS, seed=2)[0] != splits
    order = np.random.default_rng(0).permutation(1000)
    shuffled, _ = assign_splits([candidates[index] for index in order], FRACTIONS, seed=1)
    assert [shuffled[list(order).index(n)] for n in range(50)] == splits[:50]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["", "", "g1", "g2"]),
            st.integers(0, 8),
            st.sampled_from([None, None, "train", "test"]),
        ),
        min_size=1,
        max_size=60,
    ),
    st.integers(0, 100),
)
def test_what_belongs_together_is_never_parted(parts, seed):
    looks = [candidate(n).phash for n in range(9)]
    candidates = [
        candidate(n, label, group=group, phash=looks[look], fixed=fixed)
        for n, (label, group, look, fixed) in enumerate(parts)
    ]
    splits, facts = assign_splits(candidates, FRACTIONS, seed)
    # Images of one scene, which would all be in train, are told apart in stretches of their names.
    is_one_scene = facts["near_duplicates"]["parted_images"] > 0
    for attribute in ("group",) if is_one_scene else ("group", "phash"):
        found: dict[str, set] = {}
        for one, split in zip(candidates, splits, strict=True):
            if getattr(one, attribute):
                found.setdefault(getattr(one, attribute), set()).add(split)
        assert all(len(one) == 1 for one in found.values())


def test_chosen_splits_are_kept_and_a_torn_group_goes_to_train():
    candidates = [candidate(n, fixed="test") for n in range(5)] + [candidate(n) for n in range(5, 30)]
    splits, facts = assign_splits(candidates, FRACTIONS, 1)
    assert splits[:5] == ["test"] * 5 and facts["moved_to_train"] == 0
    torn = [candidate(1, group="g", fixed="test"), candidate(2, group="g", fixed="train")]
    splits, facts = assign_splits(torn, FRACTIONS, 1)
    assert splits == ["train", "train"] and facts["moved_to_train"] == 1


@pytest.mark.django_db
class TestSnapshots:
    def grow(self, api, dataset, labels, start: int, count: int) -> None:
        for label in ("good", "bad"):
            offset = start + (1000 if label == "bad" else 0)
            upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(offset, offset + count)], label=label)

    def take(self, api, dataset, **body):
        return api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", body)

    def test_a_snapshot_freezes_the_labelled_images(self, api, dataset, labels):
        self.grow(api, dataset, labels, 0, 20)
        upload(api, dataset, [("unlabelled.jpg", jpeg(5000))])
        snapshot = self.take(api, dataset).json()
        assert snapshot["number"] == 1 and snapshot["class_names"] == ["bad", "good"]
        assert snapshot["counts"]["images"] == 40
        assert snapshot["counts"]["splits"] == {"train": 28, "validation": 6, "test": 6}
        again = self.take(api, dataset).json()
        assert again["number"] == 2 and again["digest"] == snapshot["digest"]
        listed = api.get(f"/api/v1/datasets/{dataset['id']}/snapshots/").json()["results"]
        assert [one["number"] for one in listed] == [2, 1]

    def test_the_digest_changes_with_a_label(self, api, dataset, labels):
        self.grow(api, dataset, labels, 0, 4)
        before = self.take(api, dataset).json()
        image = api.get("/api/v1/images/?label=good").json()["results"][0]
        api.put(f"/api/v1/images/{image['id']}/annotations/", [{"label": "bad"}])
        assert self.take(api, dataset).json()["digest"] != before["digest"]

    def test_a_test_image_stays_one_while_the_dataset_grows(self, api, dataset, labels):
        from datasets.models import SnapshotImage

        self.grow(api, dataset, labels, 0, 20)
        first = self.take(api, dataset).json()
        self.grow(api, dataset, labels, 200, 30)
        second = self.take(api, dataset).json()
        splits = [
            dict(SnapshotImage.objects.filter(snapshot=one["id"]).values_list("image_key", "split"))
            for one in (first, second)
        ]
        assert all(splits[1][key] == split for key, split in splits[0].items())
        assert second["counts"]["splits"]["train"] == 70
        assert all(14 <= second["counts"]["splits"][split] <= 16 for split in ("validation", "test"))

    @pytest.mark.usefixtures("own_store")
    def test_a_snapshot_survives_the_deletion_of_its_images(self, api, dataset, labels):
        from datasets.models import Snapshot
        from datasets.snapshots import iterate_images
        from storage import services as storage
        from storage import sweeping

        self.grow(api, dataset, labels, 0, 4)
        snapshot = Snapshot.objects.get(pk=self.take(api, dataset).json()["id"])
        ids = [one["id"] for one in api.get("/api/v1/images/").json()["results"]]
        api.post("/api/v1/images/bulk/", {"images": ids, "action": "delete"})
        from datetime import timedelta

        sweeping.sweep_orphans(older_than=timedelta(seconds=-5))
        rows = [row for split in FRACTIONS for row in iterate_images(snapshot, split)]
        assert len(rows) == 8 and all(storage.path_of(row.blob).exists() for row in rows)

    @pytest.mark.parametrize(
        "body",
        [{"train": 0.5}, {"train": 2, "validation": -1, "test": 0}, {"seed": -1}, {"train": "x"}, {"train": "nan"}],
    )
    def test_wrong_fractions_are_refused(self, api, dataset, body):
        assert self.take(api, dataset, **body).status_code == 400

    def test_an_empty_dataset_has_no_snapshot(self, api, dataset):
        answer = self.take(api, dataset)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_labelled_images")
