"""Loaded before Django: tests keep everything in a folder of their own and never touch the network."""

import atexit
import os
import shutil
import tempfile

DATA_DIR = tempfile.mkdtemp(prefix="mlstudio-tests-")
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

os.environ.update(
    MLSTUDIO_DATA_DIR=DATA_DIR,
    MLSTUDIO_LOG_LEVEL="WARNING",
    MLSTUDIO_MIN_FREE_BYTES="1000000",
    TF_CPP_MIN_LOG_LEVEL="3",
    KERAS_HOME=os.path.join(DATA_DIR, "keras"),
)
for name in ("REDIS_URL", "DATABASE_URL", "MLSTUDIO_WEIGHTS_DIR", "MLSTUDIO_STORAGE"):
    os.environ.pop(name, None)
if os.environ.get("MLSTUDIO_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["MLSTUDIO_TEST_DATABASE_URL"]
# Nothing listens here: a test that needs a broker starts the whole studio.
os.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"
