"""Any sequence of changes, deletions, undo and redo, taken back to its beginning, leaves everything as it was."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlstudio.counts import correct_counts
from projects.models import Change, TrashEntry
from tests.conftest import make_user
from tests.test_kept_counts import World, kept
from tests.test_undo import state, undo

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.any_database("any sequence with the trash")]
STEPS = ("annotate", "review", "bulk", "patch", "delete", "delete", "remove_label", "undo", "redo")
numbers = itertools.count(1)


def made_since(pks: set) -> list:
    return list(Change.objects.exclude(pk__in=pks).order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("task", ["classification", "detection"])
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=10), seed=st.integers(1, 9))
def test_any_sequence(db, task, steps, seed):
    world = World(make_user(f"user{next(numbers)}"), task, seed)
    world.add()
    world.suggest()
    before, images, known = state(world.project), kept()[0], set(Change.objects.values_list("pk", flat=True))
    done: list = []
    undone: list = []
    for step in steps:
        if step == "undo" and done:
            undone.append(undo(world.api, str(done.pop()))["id"])
        elif step == "redo" and undone:
            done.append(undo(world.api, str(undone.pop()))["id"])
        elif step not in ("undo", "redo") and world.images().count() > 2:
            getattr(world, step)()
            new = made_since(known)
            done += new
            undone = [] if new else undone
        known |= set(made_since(known))
    while done:
        undo(world.api, str(done.pop()))
    assert state(world.project) == before and kept()[0] == images and correct_counts() == 0
    assert not TrashEntry.objects.filter(project=world.project, is_empty=False).exists()
