"""Recognises a full disk, however the libraries between say it."""

from __future__ import annotations

import errno
import os

CODES = (errno.ENOSPC, errno.EDQUOT)
# Python's own words where no folder for temporary files takes a few bytes; those of the operating system, which
# TensorFlow and HDF5 repeat in errors that have no number.
WORDS = ("No usable temporary directory", *(os.strerror(code) for code in CODES))
MOST = 20  # errors in a chain


def is_full_disk(error: BaseException | None) -> bool:
    """Whether the error, or one that it was raised from or while handling, is that of a full disk or quota."""
    for _ in range(MOST):
        if error is None:
            return False
        if isinstance(error, OSError) and error.errno in CODES:
            return True
        if _is_of_a_library(error) and any(words in str(error) for words in WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_of_a_library(error: BaseException) -> bool:
    """Others may repeat what a stranger has written into a file."""
    return isinstance(error, OSError) or type(error).__module__.startswith("tensorflow.")
