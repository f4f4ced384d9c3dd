"""Near-duplicates at the sizes where algorithms change, and splits of what a fixed camera sees."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from django.conf import settings
from PIL import Image
from scipy.sparse.csgraph import connected_components

from datasets.grouping import PART, group_images
from datasets.models import SnapshotImage
from datasets.natural_order import natural_key
from datasets.splits import Candidate, assign_splits
from tests.conftest import upload
from tests.pictures import jpeg
from vision.imaging import near_duplicates
from vision.imaging.hashing import perceptual_hash
from vision.imaging.near_duplicates import NEAR_DUPLICATE_MAX_BITS, near_duplicate_groups, unique_words

FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}


def distances(words: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    others = words if others is None else others
    return np.bitwise_count(words[:, None] ^ others[None]).sum(axis=-1)


def words_of(hashes: list[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint64).reshape(-1, 4)


def nearest_across(hashes: list[str], splits: list[str]) -> int:
    words, sides = words_of(hashes), np.array(splits)
    return min(
        int(distances(words[sides == one], words[sides == other]).min())
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test"))
    )


def scene_hashes(count: int, *, light: float, noise: float, shift: int, scratches: bool) -> list[str]:
    """A fixed camera over a line of 640 x 480 px, averaged to the size that is hashed."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:480, :640]
    plate = 90 + 40 * np.sin(x / 37) + 25 * np.cos(y / 53) + 15 * np.sin((x + y) / 11)
    plate = plate + 30 * ((x - 320) ** 2 + (y - 240) ** 2 < 150**2)
    shifted = {
        (dy, dx): np.roll(plate, (dy, dx), (0, 1)).reshape(32, 15, 32, 20).mean(axis=(1, 3))
        for dy in range(-shift, shift + 1)
        for dx in range(-shift, shift + 1)
    }
    hashes = []
    for number in range(count):
        dy, dx = (int(one) for one in generator.integers(-shift, shift + 1, 2))
        small = shifted[dy, dx] * (1 + generator.normal(0, light)) + generator.normal(0, noise / 300**0.5, (32, 32))
        if scratches and number % 2:
            row, column = generator.integers(13, 22, 2)
            small[row : row + 2, column] *= 0.6
        hashes.append(perceptual_hash(Image.fromarray(np.clip(small.round(), 0, 255).astype(np.uint8))))
    return hashes


def candidates_of(hashes: list[str], **fields) -> list[Candidate]:
    return [
        Candidate(key=f"{n:064x}", phash=phash, label="ab"[n % 2], name=f"line-{n}.jpg", **fields)
        for n, phash in enumerate(hashes)
    ]


SCENES = {
    "light, shifts and scratches": {"light": 0.03, "noise": 4, "shift": 2, "scratches": True},
    "noise of the sensor only": {"light": 0.003, "noise": 2, "shift": 0, "scratches": False},
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_fixed_camera_fills_all_splits_and_parts_no_pair_within_the_limit(scene):
    hashes = scene_hashes(2500, **SCENES[scene])
    splits, facts = assign_splits(candidates_of(hashes), FRACTIONS, 42)
    counts = Counter(splits)
    assert all(abs(counts[split] - share * 2500) < 0.02 * 2500 for split, share in FRACTIONS.items())
    told = facts["near_duplicates"]
    assert told["limit_bits"] is not None and nearest_across(hashes, splits) > told["limit_bits"]
    assert told["largest_group"] <= PART * 2500 and told["parted_images"] > 500
    (remark,) = facts["remarks"]
    assert remark["code"] == "images_of_one_scene" and "near_duplicates to exact or off" in remark["detail"]


def test_images_that_do_not_differ_are_parted_in_stretches_of_their_names():
    hashes = [near_duplicate_hash()] * 300
    splits, facts = assign_splits(candidates_of(hashes), FRACTIONS, 42)
    assert set(splits) == set(FRACTIONS) and facts["near_duplicates"]["limit_bits"] is None
    changes = sum(one != other for one, other in pairwise(splits))
    assert changes < 10 and "order of their file names" in facts["remarks"][0]["detail"]


def near_duplicate_hash() -> str:
    return np.random.default_rng(3).bytes(32).hex()


def test_the_limit_holds_where_no_group_is_too_large():
    generator = np.random.default_rng(1)
    scenes = generator.integers(0, 2, (40, 256), dtype=np.uint8)
    bits = scenes[generator.integers(0, 40, 600)]
    for row in bits:
        row[generator.choice(256, generator.integers(0, 12), replace=False)] ^= 1
    hashes = [np.packbits(row).tobytes().hex() for row in bits]
    splits, facts = assign_splits(candidates_of(hashes), FRACTIONS, 42)
    assert facts["near_duplicates"]["limit_bits"] == NEAR_DUPLICATE_MAX_BITS and not facts["remarks"]
    assert nearest_across(hashes, splits) > NEAR_DUPLICATE_MAX_BITS and set(splits) == set(FRACTIONS)


def test_exact_parts_what_is_only_alike_and_off_parts_all_but_names():
    base = np.unpackbits(np.frombuffer(np.random.default_rng(2).bytes(32), dtype=np.uint8))
    bits = np.tile(base, (3, 1))
    bits[1, :2] ^= 1
    bits[2, :12] ^= 1
    hashes = [np.packbits(row).tobytes().hex() for row in bits]
    groups = {mode: group_images(candidates_of(hashes), mode).roots.tolist() for mode in ("strict", "exact", "off")}
    assert len(set(groups["strict"])) == 1 and len(set(groups["off"])) == 3
    assert groups["exact"][0] == groups["exact"][1] != groups["exact"][2]
    assert len(set(group_images(candidates_of(hashes, group="g"), "off").roots.tolist())) == 1


def test_names_of_the_user_are_never_parted():
    hashes = scene_hashes(300, **SCENES["noise of the sensor only"])
    candidates = [
        Candidate(key=f"{n:064x}", phash=phash, label="a", group=f"batch {n // 30}", name=f"{n}.jpg")
        for n, phash in enumerate(hashes)
    ]
    splits, _ = assign_splits(candidates, FRACTIONS, 1)
    assert set(splits) == set(FRACTIONS)
    assert all(len(set(splits[start : start + 30])) == 1 for start in range(0, 300, 30))


def test_a_label_of_one_scene_is_in_all_splits():
    """Views of an object on a turntable, the next ones of another."""
    generator = np.random.default_rng(4)
    candidates = []
    for label in "abcdefgh":
        bits = generator.integers(0, 2, 256, dtype=np.uint8)
        for view in range(60):
            bits = bits.copy()
            bits[generator.choice(256, 8, replace=False)] ^= 1
            name = f"{label}{view}"
            candidates.append(
                Candidate(
                    key=f"{len(candidates):064x}", phash=np.packbits(bits).tobytes().hex(), label=label, name=name
                )
            )
    splits, facts = assign_splits(candidates, FRACTIONS, 1)
    placed = {(one.label, split) for one, split in zip(candidates, splits, strict=True)}
    assert len(placed) == 8 * 3 and len(facts["remarks"]) == 8


def test_pairs_in_different_blocks_are_found():
    """6,000 hashes of which every pair is within 16 bits."""
    generator = np.random.default_rng(0)
    base = generator.integers(0, 256, 30, dtype=np.uint8).tobytes()
    hashes = [(base + value.tobytes()).hex() for value in generator.permutation(65536)[:6000].astype(np.uint16)]
    assert len(set(near_duplicate_groups(hashes).tolist())) == 1


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_hashes_that_share_bands_and_are_not_near_stay_apart(share):
    generator = np.random.default_rng(0)
    rows = generator.integers(0, 256, (5000, 32), dtype=np.uint8)
    rows[: int(share * 5000), :4] = rows[0, :4]
    assert len(set(near_duplicate_groups([row.tobytes().hex() for row in rows]).tolist())) == 5000


@pytest.mark.parametrize("sizes", [(64, 2048), (4, 8), (4, 4000)])
@pytest.mark.parametrize("spread", [0, 6, 14, 30])
def test_groups_and_tree_equal_those_of_all_pairs(monkeypatch, spread, sizes):
    """Against scipy on the whole matrix, whichever way the pairs are searched."""
    monkeypatch.setattr(near_duplicates, "SMALL", sizes[0])
    monkeypatch.setattr(near_duplicates, "MIDDLE", sizes[1])
    generator = np.random.default_rng(spread)
    bits = generator.integers(0, 2, (5, 256), dtype=np.uint8)[generator.integers(0, 5, 700)]
    for row in bits:
        row[generator.choice(256, generator.integers(0, spread + 1), replace=False)] ^= 1
    words = unique_words([np.packbits(row).tobytes().hex() for row in bits])[0]
    matrix = distances(words)
    starts, ends, lengths = near_duplicates.spanning_tree(words)
    for limit in (0, 3, 11, 20, 32):
        count, expected = connected_components(matrix <= limit)
        kept = lengths <= limit
        for found in (
            near_duplicates.components(words, limit),
            near_duplicates.joined_by(len(words), starts[kept], ends[kept]),
        ):
            assert found.max() + 1 == count == len(set(zip(expected.tolist(), found.tolist(), strict=True)))


def test_one_scene_takes_one_pass(monkeypatch):
    """What is near one image is compared no more: 20,000 alike images need no square of comparisons."""
    generator = np.random.default_rng(1)
    bits = np.tile(generator.integers(0, 2, 256, dtype=np.uint8), (20_000, 1))
    bits[np.arange(20_000), generator.integers(0, 256, 20_000)] ^= 1
    bits[np.arange(20_000), generator.integers(0, 256, 20_000)] ^= 1
    bits[np.arange(20_000), generator.integers(0, 256, 20_000)] ^= 1
    hashes = [row.tobytes().hex() for row in np.packbits(bits, axis=1)]
    compared = []
    real = near_duplicates._distances

    def counted(columns, values):
        found = real(columns, values)
        compared.append(found.size)
        return found

    monkeypatch.setattr(near_duplicates, "_distances", counted)
    assert len(set(near_duplicate_groups(hashes).tolist())) == 1
    assert sum(compared) < 500 * 20_000


def test_the_same_hashes_are_grouped_once(monkeypatch):
    from datasets import grouping

    calls = []
    real = grouping.components

    def components(words, limit):
        calls.append(limit)
        return real(words, limit)

    monkeypatch.setattr(grouping, "components", components)
    monkeypatch.setattr(grouping, "_KNOWN", grouping._Known())
    hashes = [np.random.default_rng(n).bytes(32).hex() for n in range(30)]
    first = group_images(candidates_of(hashes))
    relabelled = [Candidate(**{**vars(one), "label": "z"}) for one in candidates_of(hashes)]
    assert (group_images(relabelled).roots == first.roots).all() and calls == [NEAR_DUPLICATE_MAX_BITS]
    group_images(candidates_of([*hashes, hashes[0][::-1]]))
    group_images(candidates_of(hashes), "exact")
    assert calls == [NEAR_DUPLICATE_MAX_BITS, NEAR_DUPLICATE_MAX_BITS, 2]


def test_shares_are_rounded_over_all_labels_together():
    candidates = [
        Candidate(key=f"{n:064x}", phash=np.random.default_rng(n).bytes(32).hex(), label=str(n // 3))
        for n in range(900)
    ]
    splits, _ = assign_splits(candidates, FRACTIONS, 42)
    counts = Counter(splits)
    assert abs(counts["test"] - 135) <= 5 and abs(counts["validation"] - 135) <= 5
    assert all("train" in splits[start : start + 3] for start in range(0, 900, 3))


def test_names_sort_as_people_read_them():
    assert sorted(["10", "b2", "2", "B10", "a", "1"], key=natural_key) == ["1", "2", "10", "a", "b2", "B10"]


def test_groups_that_are_named_later_are_drawn_again():
    """The advice works: all of the named groups had images on all sides."""
    hashes = scene_hashes(300, **SCENES["noise of the sensor only"])
    before, _ = assign_splits(candidates_of(hashes), FRACTIONS, 1)
    named = [
        Candidate(key=f"{n:064x}", phash=phash, label="a", group=f"day {n // 20}", previous=before[n], name=f"{n}.jpg")
        for n, phash in enumerate(hashes)
    ]
    splits, facts = assign_splits(named, FRACTIONS, 1)
    assert set(splits) == set(FRACTIONS)
    assert [one["code"] for one in facts["remarks"]] == ["images_of_one_scene", "splits_drawn_again"]


def test_a_growing_scene_keeps_its_test_images():
    hashes = scene_hashes(600, **SCENES["light, shifts and scratches"])
    first = candidates_of(hashes[:500])
    before, facts = assign_splits(first, FRACTIONS, 1)
    grown = [
        Candidate(**{**vars(one), "previous": before[n] if n < 500 else None})
        for n, one in enumerate(candidates_of(hashes))
    ]
    bits = facts["near_duplicates"]["limit_bits"]
    after, told = assign_splits(grown, FRACTIONS, 1, previous_bits=bits)
    assert told["near_duplicates"]["limit_bits"] <= bits
    stayed = sum(one == other for one, other in zip(before, after, strict=False))
    assert stayed >= 0.95 * 500 and nearest_across(hashes, after) > told["near_duplicates"]["limit_bits"]


@pytest.mark.django_db
class TestSnapshots:
    def take(self, api, dataset, **body) -> dict:
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def splits(self, snapshot: dict) -> dict:
        rows = SnapshotImage.objects.filter(snapshot=snapshot["id"])
        return {str(key): split for key, split in rows.values_list("image_key", "split")}

    def test_a_split_that_was_taken_back_is_forgotten(self, api, dataset, labels):
        images = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(20)], label="good")["created"]
        ids = [one["id"] for one in images]
        first = self.splits(self.take(api, dataset))
        body = {"action": "split", "images": ids[:12], "split": "test"}
        assert api.post("/api/v1/images/bulk/", body).status_code == 200
        assert Counter(self.splits(self.take(api, dataset)).values())["test"] >= 12
        assert api.post("/api/v1/images/bulk/", {**body, "split": None}).status_code == 200
        last = Counter(self.splits(self.take(api, dataset)).values())
        assert last["test"] <= 4 and last["train"] >= 13 and Counter(first.values())["test"] == 3

    def test_a_wish_makes_a_new_snapshot(self, api, dataset, labels):
        from datasets.models import Dataset
        from datasets.snapshots import current_snapshot

        images = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(8)], label="good")["created"]
        row = Dataset.objects.get(pk=dataset["id"])
        first = current_snapshot(dataset=row, user=None)
        assert current_snapshot(dataset=row, user=None) == first
        api.post("/api/v1/images/bulk/", {"action": "group", "images": [one["id"] for one in images[:4]], "group": "g"})
        second = current_snapshot(dataset=row, user=None)
        assert second != first
        api.patch(f"/api/v1/datasets/{dataset['id']}/", {"near_duplicates": "off"})
        third = current_snapshot(dataset=row, user=None)
        assert third != second and third.counts["near_duplicates"]["mode"] == "off" and third.digest != second.digest

    def test_the_setting_is_a_field_of_the_dataset(self, api, dataset):
        url = f"/api/v1/datasets/{dataset['id']}/"
        assert api.get(url).json()["near_duplicates"] == "strict"
        assert api.patch(url, {"near_duplicates": "exact"}).json()["near_duplicates"] == "exact"
        assert api.patch(url, {"near_duplicates": "loose"}).status_code == 400

    def test_class_names_are_in_natural_order_until_somebody_arranges_them(self, api, dataset, project):
        for name in ("10", "3", "2"):
            api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": name})
            upload(api, dataset, [(f"{name}-{n}.jpg", jpeg(int(name) * 10 + n)) for n in range(4)], label=name)
        assert self.take(api, dataset)["class_names"] == ["2", "3", "10"]
        rows = {one["name"]: one["id"] for one in api.get(f"/api/v1/projects/{project.pk}/labels/").json()["results"]}
        order = {"labels": [rows[name] for name in ("3", "10", "2")]}
        assert api.post(f"/api/v1/projects/{project.pk}/labels/reorder/", order).status_code < 300
        assert self.take(api, dataset)["class_names"] == ["3", "10", "2"]


@pytest.mark.django_db
def test_boxes_drawn_while_a_snapshot_is_taken_are_no_background(owner, monkeypatch):
    from datasets import snapshots
    from datasets.models import Dataset, Label
    from tests.conftest import client_of
    from tests.pictures import scene
    from tests.test_boxes import new_dataset

    dataset = new_dataset(owner, "boxes")
    api = client_of(owner)
    first, second = (upload(api, dataset, [(f"{n}.png", scene(n)[0])])["created"][0] for n in (1, 2))
    row = Dataset.objects.get(pk=dataset["id"])
    Label.objects.create(project=row.project, name="disc")

    def put(image):
        return api.put(f"/api/v1/images/{image['id']}/annotations/", [{"label": "disc", "box": [1, 1, 20, 20]}])

    assert put(first).status_code == 200
    real, done = snapshots.Image.objects.filter, []

    def between(*args, **kwargs):
        if not done:
            done.append(second["id"])
            assert put(second).status_code == 200
        return real(*args, **kwargs)

    monkeypatch.setattr(snapshots.Image.objects, "filter", between)
    taken = {str(one["id"]): one["annotations"] for one in snapshots._annotated_images(row)[0]}
    assert done and taken.get(second["id"]) != []


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_a_snapshot_reads_one_state_of_the_database(project):
    """What another connection writes between two reads is not seen, and it need not wait."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    from projects.consistent_reads import consistent_read
    from projects.models import Project

    def rename() -> None:
        Project.objects.filter(pk=project.pk).update(name="later")
        connection.close()

    def name() -> str:
        return Project.objects.values_list("name", flat=True).get(pk=project.pk)

    with consistent_read():
        before = name()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(rename).result(timeout=20)
        assert name() == before != "later"
    assert name() == "later"
