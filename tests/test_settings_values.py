"""A wrong setting stops the start with a sentence that names it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.studio import ROOT

READ = (
    "from django.core.exceptions import ImproperlyConfigured\n"
    "try:\n    import mlstudio.settings\nexcept ImproperlyConfigured as error:\n    print(error)"
)
WRONG = {
    "MLSTUDIO_LOGIN_RATE": "lots",
    "MLSTUDIO_LEASE_SECONDS": "-5",
    "MLSTUDIO_PREFLIGHT_WORKERS": "0",
    "MLSTUDIO_WEB_THREADS": "0",
    "MLSTUDIO_DECODE_BYTES": "abc",
    "MLSTUDIO_MAX_IMAGE_PIXELS": "x",
    "MLSTUDIO_MAX_USER_BYTES": "-1",
    "MLSTUDIO_LOG_LEVEL": "LOUD",
    "MLSTUDIO_LOG_FORMAT": "xml",
    "DATABASE_URL": "foo://x",
}


@pytest.mark.parametrize(("name", "value"), WRONG.items())
def test_a_wrong_value_is_named(name, value, tmp_path):
    environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(tmp_path), name: value}
    answer = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0 and name in answer.stdout, answer.stderr[-500:]
