"""Features of images on the disk, and finding what is near: exact, whatever was broken off."""

import uuid

import numpy as np
import pytest

from vision.analysis.feature_store import FeatureStore, Lookup, ids_of, spread
from vision.analysis.nearest import mean_of, most_alike, nearest, unit


def keys(count: int, first: int = 0) -> list[uuid.UUID]:
    return [uuid.UUID(int=(first + n) * 0x1_0000_0001_0000_0003) for n in range(1, count + 1)]


def features(count: int, seed: int = 0, width: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(1.0, 1.0, (count, width)).astype(np.float32)


@pytest.fixture
def store(tmp_path) -> FeatureStore:
    return FeatureStore(tmp_path / "store", 200)


def test_what_is_added_is_there_after_opening_it_again(store):
    first, second = features(5), features(3, seed=1)
    store.append(keys(5), first)
    FeatureStore(store.folder, 200).append(keys(3, first=5), second)
    again = FeatureStore(store.folder, 200)
    assert again.count == 8 and again.vectors().shape == (8, 200) and again.codes().shape == (8, 128)
    np.testing.assert_allclose(again.vectors(), np.concatenate([first, second]), atol=2e-3)
    assert again.rows_of(ids_of(keys(8)[::-1])).tolist() == list(range(8))[::-1]


def test_an_image_that_is_not_there(store):
    assert store.rows_of(ids_of(keys(2))).tolist() == [-1, -1]
    store.append(keys(3), features(3))
    assert store.rows_of(ids_of([*keys(1), uuid.UUID(int=9)])).tolist() == [0, -1]
    assert store.rows_of(ids_of([])).tolist() == []


def test_ids_whose_mixed_halves_are_the_same_are_told_apart():
    mix = 0x9E3779B97F4A7C15
    one = uuid.UUID(int=(5 << 64) | 7)
    other_low = ((5 * mix) ^ 7 ^ (6 * mix)) % (1 << 64)
    other = uuid.UUID(int=(6 << 64) | other_low)
    lookup = Lookup(ids_of([one]))
    assert lookup.rows_of(ids_of([one, other])).tolist() == [0, -1]


@pytest.mark.parametrize("broken", ["vectors.f16", "codes.f16"])
def test_what_was_broken_off_is_written_over(store, broken):
    store.append(keys(2), features(2))
    with open(store.folder / broken, "ab") as file:
        file.write(b"\1" * 333)
    assert store.count == 2
    store.append(keys(1, first=2), features(1, seed=3))
    np.testing.assert_allclose(store.vectors()[2], features(1, seed=3)[0], atol=2e-3)
    np.testing.assert_allclose(
        store.codes()[2], store.vectors()[2] @ _projection() / np.sqrt(128), rtol=0.01, atol=0.01
    )


def _projection() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 128)).astype(np.float32)


def test_some_rows_are_kept(store):
    store.append(keys(10), features(10))
    before = np.array(store.vectors())
    store.keep_only(np.array([1, 4, 9]))
    assert store.rows_of(ids_of(keys(10))).tolist() == [-1, 0, -1, -1, 1, -1, -1, -1, -1, 2]
    np.testing.assert_array_equal(store.vectors(), before[[1, 4, 9]])
    assert {path.name for path in store.folder.iterdir()} == {"vectors.f16", "codes.f16", "ids.bin", "lock"}


def test_a_store_that_was_broken_off_while_rows_were_kept_is_empty_rather_than_wrong(store, monkeypatch):
    store.append(keys(10), features(10))
    monkeypatch.setattr(store, "_write", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        store.keep_only(np.array([3]))
    assert FeatureStore(store.folder, 200).count == 0


def test_statistics_are_those_of_the_features(store):
    rows = features(300)
    store.append(keys(300), rows)
    mean, deviation = store.statistics()
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(deviation, rows.std(axis=0), atol=2e-3)


@pytest.mark.parametrize(("count", "most"), [(0, 5), (5, 5), (9, 5), (1000, 7)])
def test_a_sample_reaches_from_the_first_to_the_last(count, most):
    rows = spread(count, most)
    assert len(rows) == len(set(rows.tolist())) == min(count, most)
    assert not count or (rows[0], rows[-1]) == (0, count - 1)


def test_the_nearest_are_those_of_a_plain_search(monkeypatch):
    monkeypatch.setattr("vision.analysis.nearest.CHUNK", 37)
    codes = features(500, width=16).astype(np.float16)
    mean = mean_of(codes)
    plain = unit(codes, mean) @ unit(codes[7:8], mean)[0]
    assert nearest(codes, codes[7], 20, mean).tolist() == np.argsort(-plain, kind="stable")[:20].tolist()
    assert nearest(codes[:5], codes[7], 20, mean).shape == (5,)


def test_copies_of_an_image_are_most_like_it(store):
    rows = features(400)
    rows[300:310] = rows[5] + np.random.default_rng(1).normal(0, 0.05, (10, 200))
    store.append(keys(400), rows)
    found, likeness = most_alike(store.vectors(), store.codes(), 5, 10, store.statistics()[0])
    assert sorted(found.tolist()) == list(range(300, 310)) and 5 not in found
    assert (likeness > 0.99).all() and (np.diff(likeness) <= 0).all()


def test_a_store_with_one_image_has_nothing_alike(store):
    store.append(keys(1), features(1))
    found, likeness = most_alike(store.vectors(), store.codes(), 0, 5, store.statistics()[0])
    assert len(found) == len(likeness) == 0


def test_what_was_opened_stays_when_the_store_is_written_again(store):
    store.append(keys(10), features(10))
    opened, before = store.opened(), np.array(store.vectors())
    store.keep_only(np.array([1, 4]))
    assert opened.rows_of(ids_of(keys(10))).tolist() == list(range(10))
    np.testing.assert_array_equal(opened.vectors, before)
    after = store.opened()
    assert after.rows_of(ids_of(keys(10))).tolist() == [-1, 0, -1, -1, 1, -1, -1, -1, -1, -1]
    np.testing.assert_array_equal(after.vectors, before[[1, 4]])


@pytest.mark.parametrize("at", ["ids", "vectors", "codes"])
def test_a_store_that_is_written_again_while_it_is_opened(store, monkeypatch, at):
    store.append(keys(10), features(10))
    before, read, turns = np.array(store.vectors()), getattr(store, at), []

    def rewritten():
        if not turns:
            turns.append(at)
            FeatureStore(store.folder, 200).keep_only(np.array([3, 7]))
        return read()

    monkeypatch.setattr(store, at, rewritten)
    opened = store.opened()
    assert len(opened.ids) == len(opened.vectors) == len(opened.codes) == 2
    np.testing.assert_array_equal(opened.vectors[opened.rows_of(ids_of([keys(10)[7]]))[0]], before[7])


def test_a_store_that_is_between_its_files_is_waited_for(store, monkeypatch):
    store.append(keys(10), features(10))
    content = (store.folder / "ids.bin").read_bytes()
    (store.folder / "ids.bin").unlink()
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            (store.folder / "ids.bin").write_bytes(content)

    monkeypatch.setattr("vision.analysis.feature_store.time.sleep", sleep)
    assert len(store.opened().ids) == 10 and len(pauses) == 3
    (store.folder / "ids.bin").unlink()
    assert len(store.opened().ids) == 0  # broken off: as good as empty
