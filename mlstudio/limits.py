"""Limits that the system puts on a process."""

from __future__ import annotations

import resource


def raise_file_limit() -> int:
    """Use as many open files as the system allows; the usual soft limit of 1,024 is a remnant. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 1 << 20)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # a system with a lower limit of its own
        return soft
    return wanted
