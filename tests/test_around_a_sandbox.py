"""What a process in the sandbox is given and what it leaves: its environment, its homes, its files, a full disk."""

from __future__ import annotations

import errno

import pytest

from vision.sandbox.full_disk import MOST, is_full_disk
from vision.sandbox.surroundings import environment, make_homes
from vision.sandbox.taken import ENTRY_BYTES, bytes_of_folder


@pytest.mark.parametrize(
    ("name", "is_passed"),
    [
        ("LANG", True),
        ("OMP_NUM_THREADS", True),
        ("TF_NUM_INTRAOP_THREADS", True),
        ("TF_VAR_token", False),
        ("AWS_SECRET_ACCESS_KEY", False),
        ("OMP_SECRET", False),
        ("LC_API_KEY", False),
        ("DATABASE_URL", False),
        ("DJANGO_SETTINGS_MODULE", False),
        ("PYTHONSTARTUP", False),
        ("LD_PRELOAD", False),
    ],
)
def test_what_a_process_gets_of_the_environment(tmp_path, monkeypatch, name, is_passed):
    monkeypatch.setenv(name, "given")
    found = environment(tmp_path)
    assert (found.get(name) == "given") is is_passed
    assert all(found[home].startswith(str(tmp_path)) for home in ("HOME", "TMPDIR", "KERAS_HOME", "XDG_CACHE_HOME"))
    assert environment(tmp_path, {name: "own"})[name] == "own"


@pytest.mark.parametrize("left", ["link", "file", "folder"])
def test_what_lies_where_the_homes_belong_is_replaced_and_nothing_behind_a_link_is_touched(tmp_path, left):
    outside, job = tmp_path / "outside", tmp_path / "job"
    for folder in (outside, job):
        folder.mkdir()
    (outside / "kept").touch()
    own = job / ".sandbox"
    if left == "link":
        own.symlink_to(outside, target_is_directory=True)
    elif left == "file":
        own.write_text("x")
    else:
        (own / "code").mkdir(parents=True)
        (own / "code" / "numpy.py").touch()
    for _ in range(2):
        make_homes(job)
    assert sorted(path.name for path in own.iterdir()) == ["code", "home", "tmp"] and not own.is_symlink()
    assert not (own / "code" / "numpy.py").exists() and (outside / "kept").exists()


def test_a_folder_is_counted_with_its_empty_files_and_not_behind_links(tmp_path):
    job = tmp_path / "job"
    (job / "deep").mkdir(parents=True)
    (job / "deep" / "large").write_bytes(bytes(10 * ENTRY_BYTES))
    (job / "empty").touch()
    (tmp_path / "outside").write_bytes(bytes(99 * ENTRY_BYTES))
    (job / "link").symlink_to(tmp_path / "outside")
    (job / "loop").symlink_to(job)
    assert bytes_of_folder(job, 1 << 40) == (10 + 4) * ENTRY_BYTES
    assert bytes_of_folder(job, 0) > 0 and bytes_of_folder(tmp_path / "gone", 1) == 0


@pytest.mark.parametrize(("depth", "is_found"), [(0, True), (MOST - 1, True), (MOST, False)])
def test_a_full_disk_is_seen_through_so_many_errors(depth, is_found):
    error: BaseException = OSError(errno.ENOSPC, "No space left on device")
    for _ in range(depth):
        error, cause = ValueError("x"), error
        error.__cause__ = cause
    assert is_full_disk(error) is is_found


def test_an_error_that_is_its_own_cause_ends_the_search():
    error = ValueError("x")
    error.__context__ = error
    assert not is_full_disk(error) and not is_full_disk(None)
