"""A full disk is recognised whichever library meets it, and never by what a stranger has written."""

from __future__ import annotations

import errno
import tempfile

import pytest

from storage.errors import is_disk_full
from vision.sandbox.full_disk import is_full_disk


def no_temporary_folder(monkeypatch) -> OSError:
    """What Python says where nothing can be written: on a full disk its search for a folder ends with nothing."""

    def refuse(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile._os, "open", refuse)
    with pytest.raises(FileNotFoundError) as raised:
        tempfile.gettempdir()
    monkeypatch.undo()
    return raised.value


def test_a_folder_for_temporary_files_that_takes_nothing(monkeypatch):
    error = no_temporary_folder(monkeypatch)
    assert error.errno == errno.ENOENT and is_full_disk(error) and is_disk_full(error)


def test_one_that_was_met_further_down():
    try:
        try:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        except OSError as cause:
            raise ValueError("The file could not be written.") from cause
    except ValueError as error:
        assert is_full_disk(error)


def test_hdf5_says_it_in_words_alone():
    assert is_full_disk(OSError("Unable to synchronously write (errno = 28, No space left on device)"))


def test_tensorflow_says_it_in_words_alone():
    tensorflow = pytest.importorskip("tensorflow")
    said = "Failed to write: ./variables.data; No space left on device"
    assert is_full_disk(tensorflow.errors.ResourceExhaustedError(None, None, said))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("A layer named 'No space left on device' is unknown."),
        FileNotFoundError(2, "No such file"),
        None,
    ],
)
def test_other_errors_are_none(error):
    assert not is_full_disk(error)


def test_an_engine_that_finds_no_folder_says_so(monkeypatch):
    from vision.engine import _report_failure

    class Reporter(list):
        def send(self, event: str, **content) -> None:
            self.append((event, content.get("code")))

    reporter = Reporter()
    assert _report_failure(no_temporary_folder(monkeypatch), reporter) == 3
    assert reporter == [("error", "disk_full")]
