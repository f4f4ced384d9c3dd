from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from mlstudio.garbage import leave_out_what_stays
from tests.studio import ROOT

COUNT = """
import atexit, gc, runpy, sys
atexit.register(lambda: print("left out:", gc.get_freeze_count() > 10_000))
{start}
"""


def test_what_is_there_by_now_is_not_looked_at_again():
    gc.unfreeze()
    before = gc.get_freeze_count()
    leave_out_what_stays()
    assert gc.get_freeze_count() > before + 10_000
    assert len(gc.get_objects()) < 10_000


def test_a_command_ends_without_looking_for_garbage():
    start = "sys.argv = ['manage.py', 'version']; runpy.run_path('manage.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(start=start)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "left out: True"


ENABLED = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"


@pytest.mark.parametrize("kind", ["command", "worker", "web"])
def test_nothing_is_collected_until_the_studio_is_imported_and_garbage_is_from_then_on(kind):
    code = {
        "command": "import sys, runpy; sys.argv = ['manage.py', 'shell', '--no-imports', '-v', '0', '-c', '{then}']; "
        "runpy.run_path('manage.py', run_name='__main__')",
        "worker": "import gc; from mlstudio.celery import app; print(gc.isenabled()); "
        "app.loader.import_default_modules(); {then}",
        "web": "import gc, uvicorn, mlstudio.web; uvicorn.Server.run = lambda *a, **k: exec('{then}'); "
        "import socket; one = socket.socket(); mlstudio.web.main(one.detach())",
    }[kind]
    done = subprocess.run(
        [sys.executable, "-c", code.format(then=ENABLED)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [*(["False"] if kind == "worker" else []), "True True"], done.stderr


def test_the_engine_collects_rarely_and_not_at_its_end():
    start = "from vision.training.lean import collect_garbage_rarely; collect_garbage_rarely(); import numpy, asyncio"
    start += "; print(gc.get_threshold()[0])"
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(start=start)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["10000", "left out: True"]
