"""Pauses of the garbage collector."""

import atexit
import gc


def leave_out_what_stays() -> None:
    """Collect once, and never look again at what is there by now: modules, models, routes.

    A full collection looks at all of it while every thread waits, for 60 ms and more; requests and jobs make little.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


def collect_nothing_yet() -> None:
    """Call it before the studio is imported; `leave_out_what_stays` or the studio's `AppConfig` ends it.

    Importing makes hundreds of thousands of objects that stay, and the collector would go through them again and again:
    a quarter of the time of a start. At the end of a process it would do so once more, before the system takes all
    memory at once.
    """
    gc.disable()
    atexit.register(gc.freeze)
