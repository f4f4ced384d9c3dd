"""Loaded before Django: tests keep everything in a folder of their own and never touch the network.

Under pytest-xdist each worker has a folder inside that of the main process, and its share of the cores.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

# `make test-thorough`: many examples, many kills, and the tests that are marked so.
THOROUGH = os.environ.get("MLSTUDIO_TEST_THOROUGH", "") not in ("", "0")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

if WORKER:
    DATA_DIR = os.path.join(os.environ["MLSTUDIO_TESTS_DIR"], WORKER)
    Path(DATA_DIR).mkdir()
else:
    DATA_DIR = os.environ["MLSTUDIO_TESTS_DIR"] = tempfile.mkdtemp(prefix="mlstudio-tests-")
    atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

# The studio, Keras and the tests are a million objects: looking through them for garbage is seldom worth it, and at the
# end of the process never.
gc.set_threshold(10_000)
atexit.register(gc.freeze)

# A hundred processes would each compile the studio again, where an image or a shell says that nothing is written.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Threads of libraries: two workers with a pool as wide as the machine each would only wait for each other.
THREADS = str(max(1, (os.cpu_count() or 1) // WORKERS))
os.environ.update(
    MLSTUDIO_DATA_DIR=DATA_DIR,
    MLSTUDIO_LOG_LEVEL="WARNING",
    MLSTUDIO_MIN_FREE_BYTES="1000000",
    MLSTUDIO_PREDICTION_THREADS=THREADS,
    MLSTUDIO_WARM_ENGINE_MINUTES="0",
    TF_CPP_MIN_LOG_LEVEL="3",
    TF_NUM_INTRAOP_THREADS=THREADS,
    OMP_NUM_THREADS=THREADS,
    OPENBLAS_NUM_THREADS=THREADS,
    KERAS_HOME=os.path.join(DATA_DIR, "keras"),
)
for name in ("REDIS_URL", "DATABASE_URL", "MLSTUDIO_WEIGHTS_DIR", "MLSTUDIO_STORAGE"):
    os.environ.pop(name, None)
if os.environ.get("MLSTUDIO_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["MLSTUDIO_TEST_DATABASE_URL"]
# Nothing listens here: a test that needs a broker starts the whole studio.
os.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"
