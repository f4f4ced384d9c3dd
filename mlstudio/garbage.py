"""Pauses of the garbage collector."""

import atexit
import gc


def leave_out_what_stays() -> None:
    """Collect once, and never look again at what is there by now: modules, models, routes.

    A full collection looks at all of it while every thread waits, for 60 ms and more; requests and jobs make little.
    """
    gc.collect()
    gc.freeze()


def end_without_collecting() -> None:
    """Let the system take the memory of this process when it ends.

    Python would first go through every module and model for garbage: a third of a short command's time.
    """
    atexit.register(gc.freeze)
