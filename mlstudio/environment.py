"""Settings from the environment, each read with its type and a message that names the variable."""

from __future__ import annotations

import difflib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from mlstudio.private import make_private_folder

BASE_DIR = Path(__file__).resolve().parent.parent


# Every name that was asked for; the others that are ours belong to other programs than the studio's processes.
_known = {
    "MLSTUDIO_AGENT_DIR",
    "MLSTUDIO_HEAVY_WORKERS",
    "MLSTUDIO_HOST",
    "MLSTUDIO_PORT",
    "MLSTUDIO_SANDBOX",
    "MLSTUDIO_STARTED_AT",
    "MLSTUDIO_TOKEN",
    "MLSTUDIO_URL",
    "MLSTUDIO_WEB_MEMORY_BYTES",
    "MLSTUDIO_WORKER_MEMORY_BYTES",
}
OTHERS = ("MLSTUDIO_BENCH_", "MLSTUDIO_FUZZ_", "MLSTUDIO_REAL_DATA", "MLSTUDIO_TEST")
SECRET = re.compile(r"(SECRET|PASSWORD|TOKEN|KEY|CREDENTIALS)$")
UNITS = {
    "": 1,
    "B": 1,
    **{
        f"{letter}{end}": factor**power
        for power, letter in enumerate("KMGT", start=1)
        for end, factor in (("", 1000), ("B", 1000), ("IB", 1024))
    },
}


# What each setting has, by its variable, for the staff.
_in_force: dict[str, object] = {}


# Weights that the studio brought, in the data folder.
OWN_WEIGHTS = "weights"
# A file there: whether to download some was asked at a start of the studio.
WEIGHTS_ASKED = "asked"


def text(name: str, default: str = "") -> str:
    _known.add(name)
    return _noted(name, os.environ.get(name, default).strip())


def _noted(name: str, value: Any) -> Any:
    _in_force[name] = value
    return value


@dataclass(frozen=True)
class InForce:
    """A setting as this process has it.

    Attributes:
        value: as one would write it; of a secret only whether there is one.
        is_set: somebody has set it, in the environment or by an option of the launcher; else it is the default.
    """

    name: str
    value: str
    is_set: bool
    is_secret: bool


def in_force() -> list[InForce]:
    """All settings that were read, by name, without secrets."""
    return [_shown(name, value) for name, value in sorted(_in_force.items())]


def _shown(name: str, value: object) -> InForce:
    is_set = bool(os.environ.get(name, "").strip())
    if SECRET.search(name):
        return InForce(name, "", is_set, True)
    if isinstance(value, list | tuple):
        value = ",".join(str(item) for item in value)
    elif isinstance(value, bool):
        value = "true" if value else "false"
    return InForce(name, _without_password("" if value is None else str(value)), is_set, False)


def _without_password(value: str) -> str:
    """Of an address as `postgres://user:password@host/name`; also where there are several, and in its query.

    Passwords that should have been written in percent signs are hidden too: all up to the last `@` of an address."""
    value = re.sub(r"(?s)(?<=://)(?:(?!://).)*@", lambda match: f"{_user_of(match[0])}:***@", value)
    return re.sub(r"(?i)([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&]*", r"\1***", value)


def _user_of(credentials: str) -> str:
    """What comes before the password; nothing where there is no colon, for some take a token alone."""
    user, colon, _ = credentials.partition(":")
    return user if colon else ""


def number(name: str, default: int, least: int = 0) -> int:
    """A whole number; of bytes, where the name says so, also with a unit: `500M`, `20GB`, `20GiB`."""
    value = text(name)
    if not value:
        return _noted(name, default)
    try:
        found = _bytes(value) if name.endswith("_BYTES") else int(value)
    except ValueError as error:
        wanted = "a number of bytes such as 20GiB, 20GB or 500M" if name.endswith("_BYTES") else "a whole number"
        raise ImproperlyConfigured(f"{name} must be {wanted}, received {value!r}.") from error
    if found < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, received {value!r}.")
    if name.endswith("_BYTES"):
        os.environ[name] = str(found)  # engines, which know no settings, read the plain number
    return _noted(name, found)


def _bytes(value: str) -> int:
    match = re.fullmatch(r"(-?[0-9][0-9_,]*(?:\.[0-9]+)?)\s*([A-Za-z]*)", value)
    if match is None or match[2].upper() not in UNITS:
        raise ValueError(value)
    digits = match[1].replace(",", "").replace("_", "")
    factor = UNITS[match[2].upper()]
    if "." in digits and factor == 1:
        raise ValueError(value)
    return round(float(digits) * factor) if "." in digits else int(digits) * factor


def misspelled() -> list[str]:
    """A sentence for every variable that looks like a setting of ours and is none. For after all were read."""
    found = []
    for name in sorted(os.environ):
        if not name.startswith("MLSTUDIO_") or name in _known or name.startswith(OTHERS):
            continue
        closest = difflib.get_close_matches(name, _known, n=1, cutoff=0.6)
        hint = f" Did you mean {closest[0]}?" if closest else ""
        found.append(f"{name} is no setting and does nothing.{hint}")
    return found


def existing_folders(name: str, inside: Path) -> list[Path]:
    """Folders with `:` between. One that is missing is made inside the data folder, and an error elsewhere."""
    folders = [Path(folder).expanduser() for folder in text(name).split(os.pathsep) if folder]
    for folder in folders:
        if not folder.is_dir() and inside in folder.resolve().parents:
            folder.mkdir(parents=True, exist_ok=True)
        elif not folder.is_dir():
            raise ImproperlyConfigured(f"{name} names {folder}, but there is no such folder.")
    return folders


def backup_folder(name: str, data: Path) -> Path | None:
    """Where backups go; None: nowhere. Not inside the data folder: it would be lost together with what it is of."""
    value = text(name)
    if not value:
        return None
    folder = Path(value).expanduser().resolve()
    if folder == data or data in folder.parents:
        raise ImproperlyConfigured(
            f"{name} must be a folder outside of the data folder {data}, best on another disk; received {value!r}."
        )
    return folder


def rate(name: str, default: str) -> str:
    """So many in a time, as `10/min`."""
    value = _noted(name, text(name) or default)
    if not re.fullmatch(r"[0-9]{1,9}/(s|sec|second|m|min|minute|h|hour|d|day)", value):
        raise ImproperlyConfigured(f"{name} must be like 10/min, 20/hour or 100/day, received {value!r}.")
    return value


def flag(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return _noted(name, default)
    if value in ("1", "true", "yes", "on"):
        return _noted(name, True)
    if value in ("0", "false", "no", "off"):
        return _noted(name, False)
    raise ImproperlyConfigured(f"{name} must be true or false, received {value!r}.")


def choice(name: str, *values: str) -> str:
    """One of the values; the first is the default."""
    value = _noted(name, text(name).lower() or values[0])
    if value not in values:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(values)}, received {value!r}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    return _noted(name, [word.strip() for word in text(name).split(",") if word.strip()] or list(default))


def cookie_suffix(address: str, usual_port: int = 8000) -> str:
    """What names of cookies end with, by the port that a studio was started at: "" for the usual one."""
    port = urlsplit(address).port
    return "" if port in (None, usual_port) else f"_{port}"


def cookie_ending(name: str, otherwise: str) -> str:
    """What the operator wants names of cookies to end with."""
    value = text(name) or otherwise
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,40}", value):
        raise ImproperlyConfigured(f"{name} may have letters, digits, - and _, at most 40, received {value!r}.")
    return value


def data_dir() -> Path:
    folder = Path(text("MLSTUDIO_DATA_DIR") or BASE_DIR / "data").expanduser().resolve()
    return _noted("MLSTUDIO_DATA_DIR", folder)


def machine_memory() -> int:
    """Bytes of the machine, or of its container where that has fewer."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # "max", or no cgroup
        return total


def secret_key(folder: Path) -> str:
    """The configured key, or one that is made on first start and kept in the data directory."""
    configured = text("MLSTUDIO_SECRET_KEY")
    if configured:
        return configured
    path = folder / "secret_key"
    try:
        make_private_folder(folder)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _kept_key(path)
        with os.fdopen(descriptor, "w") as file:
            key = secrets.token_urlsafe(50)
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        return key
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data directory {folder} cannot be written ({error.strerror}). "
            "Name another one with --data-dir or MLSTUDIO_DATA_DIR."
        ) from error


def _kept_key(path: Path) -> str:
    import time

    for _ in range(50):  # another process may be writing it at this moment
        key = path.read_text().strip()
        if len(key) >= 50:
            return key
        time.sleep(0.02)
    raise ImproperlyConfigured(
        f"{path} holds no usable key: delete it to have a new one made (this logs everyone out)."
    )
