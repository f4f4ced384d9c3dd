"""What a process in the sandbox finds around it: its environment, and what it may read."""

from __future__ import annotations

import glob
import os
import shutil
import site
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Engines and runtimes; no settings, no application, and above all not the folder itself, which may hold the data.
CODE = ("vision", "training", "inference", "datasets", "storage")
PASSED_ON = frozenset(
    (
        "PATH",
        "LANG",
        "LANGUAGE",
        "TZ",
        "VIRTUAL_ENV",
        "LD_LIBRARY_PATH",
        "KERAS_BACKEND",
        "CUDA_VISIBLE_DEVICES",
        "CUDA_DEVICE_ORDER",
        "CUDA_HOME",
        "NVIDIA_VISIBLE_DEVICES",
        "NVIDIA_DRIVER_CAPABILITIES",
        "MALLOC_ARENA_MAX",
        "PYTHONHASHSEED",
        "PYTHONUTF8",
    )
)
# Not all of TF_: Terraform keeps tokens there.
PASSED_ON_PREFIXES = (
    "LC_", "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "GOTO_", "TF_CPP_", "TF_ENABLE_", "TF_NUM_", "TF_XLA_",
    "TF_GPU_", "TF_FORCE_GPU_", "TF_CUDNN_", "TF_DETERMINISTIC_", "TF_USE_", "XLA_FLAGS",
)  # fmt: skip
# Variables that name places in the work folder.
HOMES = ("HOME", "TMPDIR", "KERAS_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PYTHONPATH")
SECRET_WORDS = ("KEY", "SECRET", "TOKEN", "PASSWORD", "CREDENTIAL")
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/alternatives",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
)
# The rest of /proc shows other processes.
PROC = (
    "cpuinfo",
    "meminfo",
    "stat",
    "loadavg",
    "uptime",
    "version",
    "filesystems",
    "cgroups",
    "devices",
    "sys/kernel",
    "sys/vm",
    "driver/nvidia",
)
WRITABLE_DEVICES = ("/dev/null",)
GPU_DEVICES = ("/dev/nvidia*", "/dev/nvhost*", "/dev/nvmap", "/dev/dri", "/dev/kfd", "/dev/dxg")
GPU_READABLE = ("/sys/devices", "/sys/bus/pci", "/sys/class/drm", "/sys/module/nvidia", "/sys/module/amdgpu")


def environment(folder: Path, more: dict[str, str] | None = None) -> dict[str, str]:
    """Built from nothing: what libraries need and no secret, with every home in the work folder."""
    own = folder / ".sandbox"
    kept = {name: value for name, value in os.environ.items() if _is_passed_on(name)}
    homes = {
        "HOME": own / "home",
        "TMPDIR": own / "tmp",
        "KERAS_HOME": own / "home" / ".keras",
        "XDG_CACHE_HOME": own / "home" / ".cache",
        "XDG_CONFIG_HOME": own / "home" / ".config",
        "XDG_DATA_HOME": own / "home" / ".local",
        "PYTHONPATH": os.pathsep.join([str(own / "code"), *_users_libraries()]),
    }
    fixed = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1"}
    return kept | fixed | {name: str(path) for name, path in homes.items()} | (more or {})


def code_version() -> tuple[int, int]:
    """Changes when a file of the engines does: a process that has imported them earlier runs older code."""
    changed = [path.stat().st_mtime_ns for path in (ROOT / "vision").rglob("*.py")]
    return len(changed), max(changed, default=0)


def has_gpu_devices() -> bool:
    return bool(_existing(GPU_DEVICES))


def _users_libraries() -> list[str]:
    """What was installed for one user (`pip install --user`) is below a home that such a process does not have."""
    return [path for path in (site.getusersitepackages(),) if path in sys.path]


def _is_passed_on(name: str) -> bool:
    if any(word in name.upper() for word in SECRET_WORDS):
        return False
    return name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)


def make_homes(folder: Path) -> None:
    """The folders that `environment` names, and the code by links: the folder that holds it is not listed."""
    own = folder / ".sandbox"
    _remove(own)  # an earlier process in this folder could write there
    for name in ("home", "tmp", "code"):
        (own / name).mkdir(parents=True)
    for name in CODE:
        (own / "code" / name).symlink_to(ROOT / name)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


@cache
def readable_code() -> tuple[str, ...]:
    """The interpreter, the libraries and the engines."""
    paths = sysconfig.get_paths()
    python = [sys.prefix, sys.base_prefix, sys.exec_prefix, str(Path(sys.executable).resolve().parent)]
    python += [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    installed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages", "lib-dynload")]
    libraries = [path for path in os.environ.get("LD_LIBRARY_PATH", "").split(":") if path.startswith("/")]
    code = [str(ROOT / name) for name in CODE]
    found = dict.fromkeys((*SYSTEM, *(f"/proc/{name}" for name in PROC), *python, *installed, *libraries, *code))
    return tuple(path for path in found if Path(path) != Path("/"))


def devices(gpu: bool) -> tuple[str, ...]:
    return (*WRITABLE_DEVICES, *(_existing(GPU_DEVICES) if gpu else ()))


def readable_of_gpus(gpu: bool) -> tuple[str, ...]:
    return GPU_READABLE if gpu and _existing(GPU_DEVICES) else ()


def writable_of_gpus(gpu: bool) -> tuple[str, ...]:
    """CUDA keeps memory that its threads share there."""
    return ("/dev/shm",) if gpu and _existing(GPU_DEVICES) else ()


def _existing(patterns: Iterable[str]) -> list[str]:
    return [path for pattern in patterns for path in glob.glob(pattern)]
