from __future__ import annotations

import gc

from mlstudio.garbage import leave_out_what_stays


def test_what_is_there_by_now_is_not_looked_at_again():
    before = gc.get_freeze_count()
    try:
        leave_out_what_stays()
        assert gc.get_freeze_count() > before + 10_000
        assert len(gc.get_objects()) < 10_000
    finally:
        gc.unfreeze()
