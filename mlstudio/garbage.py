"""Pauses of the garbage collector."""

import gc


def leave_out_what_stays() -> None:
    """Collect once, and never look again at what is there by now: modules, models, routes.

    A full collection looks at all of it while every thread waits, for 60 ms and more; requests and jobs make little.
    """
    gc.collect()
    gc.freeze()
