"""A device's folder by itself: what survives a kill or a full disk, and which images wait for the studio."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.studio import ROOT


@pytest.fixture(autouse=True)
def package(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "agent"))


@pytest.fixture
def store(tmp_path):
    from mlstudio_agent.store import Store

    return Store(tmp_path / "device")


IDENTITY = {"url": "http://studio", "device": "d1", "key": "secret", "keys": {}}


# What is kept


def test_a_device_that_is_not_enrolled_says_how_to_enrol(store):
    from mlstudio_agent.errors import NotEnrolled

    with pytest.raises(NotEnrolled, match="enrol --url"):
        store.identity()
    assert store.state() == {} and store.last_contact() == {} and not store.folder.exists()


def test_only_its_owner_reads_the_key(store):
    store.write_identity(IDENTITY)
    assert store.identity() == IDENTITY
    assert stat.S_IMODE((store.folder / "identity.json").stat().st_mode) == 0o600


def test_changes_of_the_state_leave_the_rest(store):
    store.update_state(etag="a", sequence=3)
    assert store.update_state(etag="b") == {"etag": "b", "sequence": 3} == store.state()


@pytest.mark.parametrize("name", ["state.json", "identity.json"])
@pytest.mark.parametrize("content", ["", "{", '{"etag": "a"', "\0" * 40])
def test_a_damaged_file_is_named_and_says_what_to_do(store, name, content):
    from mlstudio_agent.errors import AgentError

    store.folder.mkdir()
    (store.folder / name).write_text(content)
    with pytest.raises(AgentError, match=f"{name} is damaged .* Delete it"):
        store.state() if name == "state.json" else store.identity()


@pytest.mark.parametrize("content", ["[]", "null", "7", '"text"'])
def test_a_state_of_another_kind_is_none(store, content):
    store.folder.mkdir()
    (store.folder / "state.json").write_text(content)
    assert store.state() == {}


def test_what_a_kill_left_half_written_beside_the_state_is_not_read_and_is_replaced(store):
    store.update_state(sequence=1)
    (store.folder / ".state.json.new").write_text('{"sequence": 99')
    assert store.state() == {"sequence": 1}
    store.update_state(sequence=2)
    assert store.state() == {"sequence": 2} and not (store.folder / ".state.json.new").exists()


def test_a_write_that_fails_leaves_the_state_as_it_was(store, monkeypatch):
    store.update_state(sequence=1)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.update_state(sequence=2)
    monkeypatch.undo()
    assert store.state() == {"sequence": 1}


def test_two_who_change_the_state_at_one_moment_lose_nothing(store):
    def work(name: str) -> None:
        for number in range(15):
            store.update_state(**{f"{name}{number}": number})

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.state()) == 45


def test_the_last_answer_of_the_studio_is_remembered_over_later_failures(store):
    store.update_state(etag="")
    store.note_contact()
    answered = store.last_contact()["answered_at"]
    store.note_contact("it does not answer")
    assert store.last_contact() == {"answered_at": answered, "problem": "it does not answer"}


def test_a_contact_that_cannot_be_written_ends_nothing(store):
    store.note_contact()  # there is no folder yet
    assert store.last_contact() == {}


def test_files_of_models_stay_while_they_run_ran_before_or_come(store):
    store.update_state(current={"file": {"sha256": "now"}}, last_good={"file": {"sha256": "before"}})
    store.models.mkdir()
    for name in ("now", "before", "old", "next.partial"):
        store.model_path(name).write_bytes(b"x")
    store.sweep()
    assert sorted(path.name for path in store.models.iterdir()) == ["before", "next.partial", "now"]


def test_the_folder_is_the_one_that_was_configured(monkeypatch, tmp_path):
    from mlstudio_agent.store import default_folder

    monkeypatch.setenv("MLSTUDIO_AGENT_DIR", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("MLSTUDIO_AGENT_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() in (Path("/var/lib/mlstudio-agent"), tmp_path / ".mlstudio-agent")


# Images that wait

UNSURE = {"labels": [{"label": "disc", "score": 0.4}], "boxes": []}
SETTINGS = {"uncertain_below": 0.6, "uncertain_per_day": 3}


@pytest.fixture
def queue(store):
    from mlstudio_agent.uncertain import UncertainQueue

    return UncertainQueue(store.queue)


@pytest.mark.parametrize(
    ("labels", "boxes", "below", "is_kept"),
    [
        ([0.59], [], 0.6, True),
        ([0.6], [], 0.6, False),
        ([0.9, 0.1], [], 0.6, False),  # the best one counts
        ([], [0.2], 0.6, True),
        ([], [0.19], 0.6, False),  # noise
        ([], [0.6], 0.6, False),
        ([], [0.95, 0.5], 0.6, True),
        ([], [], 0.6, False),
        ([0.1], [], 0.0, False),
    ],
)
def test_what_a_model_is_unsure_of(queue, labels, boxes, below, is_kept):
    found = {"labels": [{"label": "a", "score": score} for score in labels], "boxes": [{"score": s} for s in boxes]}
    assert queue.consider(b"x", "a.jpg", found, {"uncertain_below": below, "uncertain_per_day": 1}) is is_kept


def test_a_group_that_wants_no_images_gets_none(queue, store):
    for settings in ({}, {"uncertain_below": 0.6}, {"uncertain_below": 0.6, "uncertain_per_day": 0}):
        assert not queue.consider(b"x", "a.jpg", UNSURE, settings)
    assert not store.queue.exists()


def test_a_day_has_its_share_also_after_a_restart_and_the_next_day_has_its_own(queue, store):
    from mlstudio_agent.uncertain import DAY_SECONDS, UncertainQueue

    kept = [queue.consider(b"x", f"{n}.jpg", UNSURE, SETTINGS) for n in range(4)]
    assert kept == [True, True, True, False]
    assert not UncertainQueue(store.queue).consider(b"x", "a.jpg", UNSURE, SETTINGS)
    day = json.loads((store.queue / "day.json").read_text())
    (store.queue / "day.json").write_text(json.dumps({**day, "started": day["started"] - DAY_SECONDS}))
    assert queue.consider(b"x", "a.jpg", UNSURE, SETTINGS)


@pytest.mark.parametrize("content", ["", "{", json.dumps({"started": 9e9, "count": 99})])
def test_a_note_of_the_day_that_is_damaged_or_from_the_future_begins_again(queue, store, content):
    store.queue.mkdir(parents=True)
    (store.queue / "day.json").write_text(content)
    assert queue.consider(b"x", "a.jpg", UNSURE, SETTINGS)


def test_no_more_wait_than_there_is_room_for(queue, store, monkeypatch):
    monkeypatch.setattr("mlstudio_agent.uncertain.MAX_QUEUED", 2)
    monkeypatch.setattr("mlstudio_agent.uncertain.MAX_BYTES", 10)
    many = {**SETTINGS, "uncertain_per_day": 99}
    assert not queue.consider(bytes(11), "a.jpg", UNSURE, many)
    assert [queue.consider(bytes(size), "a.jpg", UNSURE, many) for size in (5, 6, 5, 0)] == [True, False, True, False]
    assert len(list(store.queue.glob("*.image"))) == 2 and not list(store.queue.glob("*.writing"))


class Receiver:
    """A studio that takes images, refuses those it is told to, and is away after some."""

    def __init__(self, *, refused: tuple[bytes, ...] = (), away_after: int = 99) -> None:
        self.received: list[tuple[bytes, str, dict]] = []
        self._refused, self._left = refused, away_after

    def send_image(self, content: bytes, filename: str, prediction: dict) -> dict:
        from mlstudio_agent.errors import Refused, StudioUnreachable

        if not self._left:
            raise StudioUnreachable("away")
        self._left -= 1
        if content in self._refused:
            raise Refused("no")
        self.received.append((content, filename, prediction))
        return {}


def fill(queue, count: int) -> None:
    for number in range(count):
        assert queue.consider(bytes([number]), f"{number}.jpg", UNSURE, {**SETTINGS, "uncertain_per_day": 99})


def test_images_are_sent_the_oldest_first_and_are_then_gone(queue, store):
    fill(queue, 4)
    studio = Receiver()
    assert queue.send(studio, limit=3) == 3 and queue.send(studio) == 1 and queue.send(studio) == 0
    assert [row[:2] for row in studio.received] == [(bytes([n]), f"{n}.jpg") for n in range(4)]
    assert studio.received[0][2] == UNSURE
    assert [path.name for path in store.queue.iterdir()] == ["day.json"]


def test_what_the_studio_refuses_is_dropped_and_the_rest_goes_on(queue, store):
    fill(queue, 3)
    assert queue.send(Receiver(refused=(b"\1",))) == 2 and not list(store.queue.glob("*.image"))


def test_a_studio_that_goes_away_gets_the_rest_later_and_nothing_twice(queue):
    from mlstudio_agent.errors import StudioUnreachable

    fill(queue, 3)
    first, second = Receiver(away_after=1), Receiver()
    with pytest.raises(StudioUnreachable):
        queue.send(first)
    assert queue.send(second) == 2
    assert [row[0] for row in first.received + second.received] == [b"\0", b"\1", b"\2"]


@pytest.mark.parametrize("notes", [None, "{"])
def test_an_image_whose_notes_were_lost_is_sent_without_them(queue, store, notes):
    fill(queue, 1)
    (path,) = store.queue.glob("[0-9]*.json")
    path.unlink() if notes is None else path.write_text(notes)
    studio = Receiver()
    assert queue.send(studio) == 1 and studio.received == [(b"\0", "image", {"labels": [], "boxes": []})]


def test_what_a_kill_left_half_written_is_not_sent(queue, store):
    fill(queue, 1)
    (store.queue / "1.writing").write_bytes(b"half")
    (store.queue / "1.json").write_text("{}")
    studio = Receiver()
    assert queue.send(studio) == 1 and len(studio.received) == 1
