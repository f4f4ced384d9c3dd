"""Linux's Landlock by its three system calls: which files a process may open, whatever its user may.

Source: Documentation/userspace-api/landlock.rst of Linux; the numbers are those of `linux/landlock.h` and the same on
every architecture. What a kernel does not know is left out, version by version ("ABI").
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from functools import cache
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH = 1
SET_NO_NEW_PRIVS = 38

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
# Version 1 ends with MAKE_SYM (bit 12).
RIGHTS_OF_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP_OF_ABI = {4: 0b11}  # bind, connect
SCOPES_OF_ABI = {6: 0b11}  # abstract UNIX sockets, signals

READ = EXECUTE | READ_FILE | READ_DIR
# No links, sockets, pipes or devices: the reader of the folder must find nothing but files there.
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
DEVICE = READ_FILE | WRITE_FILE | READ_DIR | TRUNCATE | IOCTL_DEV
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV


@cache
def abi() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG))


def restrict(rules: dict[str, int]) -> None:
    """From here on this process opens only what the rules name: path → rights for it and all below it.

    Paths that do not exist are left out. Nothing is done where the kernel has no Landlock.

    Raises:
        OSError: the kernel refuses.
    """
    version = abi()
    if not version:
        return
    handled = _of(RIGHTS_OF_ABI, version)
    attributes = struct.pack("=QQQ", handled, _of(TCP_OF_ABI, version), _of(SCOPES_OF_ABI, version))
    attributes = attributes[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = _checked(_libc().syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    for path, rights in rules.items():
        _allow(ruleset, path, rights & handled)
    _checked(_libc().prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(_libc().syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not Path(path).is_dir():
            rights &= OF_FILES
        _checked(_libc().syscall(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0))
    finally:
        os.close(descriptor)


def _of(table: dict[int, int], version: int) -> int:
    return next((table[known] for known in sorted(table, reverse=True) if known <= version), 0)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


@cache
def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library
