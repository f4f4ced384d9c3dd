"""The question at the first start in a terminal: once, and nothing is fetched without a yes."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.once import migrated_database
from tests.studio import ROOT
from tests.weights_source import FILE, Source

SECONDS = 300.0
QUESTION = "Download MobileNetV2, trained on ImageNet (about 9.0 MB, 1 file, Apache-2.0) from http://127.0.0.1"


class Terminal:
    """A command at a terminal of its own, in front."""

    def __init__(self, folder: Path, mirror: str, *arguments: str, **environment: str) -> None:
        variables = {
            name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "MLSTUDIO_DATA_DIR")
        }
        variables |= {
            "MLSTUDIO_DATA_DIR": str(folder),
            "MLSTUDIO_WEIGHTS_URL": mirror,
            "KERAS_HOME": str(folder / "keras"),
            "DJANGO_SETTINGS_MODULE": "tests.studio_settings",
            **environment,
        }
        for name in ("REDIS_URL", "MLSTUDIO_WEIGHTS_DIR"):
            variables.pop(name, None)
        self.said = ""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "manage.py", *arguments], variables)

    def read_until(self, words: str) -> None:
        deadline = time.monotonic() + SECONDS
        while words not in self.said:
            assert time.monotonic() < deadline, self.said
            assert self._read(), self.said

    def _read(self) -> bool:
        """Whether more may come."""
        if select.select([self._terminal], [], [], 1.0)[0]:
            try:
                piece = os.read(self._terminal, 65536)
            except OSError:  # the last process at it has ended
                return False
            self.said += piece.decode(errors="replace")
            return bool(piece)
        return True

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def data(tmp_path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def answer(data: Path, mirror: str, text: str, **environment: str) -> tuple[int, str]:
    terminal = Terminal(data, mirror, "weights", "offer", **environment)
    terminal.read_until("[y/N]")
    terminal.type(text)
    return terminal.end(), terminal.said


def test_a_yes_brings_them(data, weights_source: Source):
    code, said = answer(data, weights_source.address, "y\n")
    assert code == 0 and QUESTION in said and "mobilenet_v2 is here. Trainings use it from now on." in said
    assert (data / "weights" / FILE).is_file() and len(weights_source.asked) == 1


@pytest.mark.parametrize("text", ["\n", "n\n", "yo\n", "\x04"], ids=["enter", "n", "yo", "end"])
def test_without_a_yes_nothing_is_fetched_and_it_is_not_asked_again(data, weights_source: Source, text):
    code, said = answer(data, weights_source.address, text)
    assert code == 0 and "Nothing was downloaded" in said and weights_source.asked == []
    again = Terminal(data, weights_source.address, "weights", "offer")
    assert again.end() == 0 and again.said == "" and weights_source.asked == []


def test_an_interrupted_question_is_asked_again(data, weights_source: Source):
    code, said = answer(data, weights_source.address, "\x03")
    assert code == 0 and "Traceback" not in said
    assert answer(data, weights_source.address, "n\n")[0] == 0 and weights_source.asked == []


@pytest.mark.parametrize("value", ["off", "auto"])
def test_it_is_not_asked_where_a_setting_has_the_answer(data, weights_source: Source, value):
    terminal = Terminal(data, weights_source.address, "weights", "offer", MLSTUDIO_WEIGHTS=value)
    assert terminal.end() == 0 and terminal.said == "" and weights_source.asked == []


def test_nobody_is_asked_without_a_terminal(data, weights_source: Source):
    environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(data), "MLSTUDIO_WEIGHTS_URL": weights_source.address}
    command = [sys.executable, "manage.py", "weights", "offer"]
    done = subprocess.run(command, cwd=ROOT, env=environment, input="y\n", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "") and weights_source.asked == []


@pytest.mark.slow
@pytest.mark.long
def test_the_studio_asks_at_its_first_start_and_starts_whatever_comes_of_it(data, weights_source: Source):
    shutil.copyfile(migrated_database(), data / "db.sqlite3")
    weights_source.status = 500
    command = ("studio", "--port", "0", "--data-dir", str(data), "--web-processes", "1")
    first = Terminal(data, weights_source.address, *command)
    with ended(first):
        first.read_until("[y/N]")
        assert "ready. API:" not in first.said and weights_source.asked == []
        first.type("y\n")
        first.read_until("ready. API:")
        assert "it answered 500" in first.said and "make weights lists them" in first.said
    second = Terminal(data, weights_source.address, *command)
    with ended(second):
        second.read_until("ready. API:")
        assert "[y/N]" not in second.said and "no pretrained weights are here" in second.said
    assert len(weights_source.asked) == 1


@contextlib.contextmanager
def ended(terminal: Terminal):
    try:
        yield
    finally:
        terminal.type("\x03")
        assert terminal.end() == 0, terminal.said
