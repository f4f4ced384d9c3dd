"""Comparisons of models look at each image once."""

from __future__ import annotations

import numpy as np

from inference.analysis.outcomes import LabelOutcomes
from inference.comparisons import _Labels, common_keys


class Counted(list):
    """A list that knows how often it was read from end to end."""

    reads = 0

    def __iter__(self):
        self.reads += 1
        return super().__iter__()


def test_the_keys_of_a_model_are_read_a_fixed_number_of_times():
    first, second = Counted(f"{n}" for n in range(300)), Counted(f"{n}" for n in range(100, 400))
    keys = common_keys([first, second])
    assert keys == [f"{n}" for n in range(100, 300)]
    found = [
        LabelOutcomes(keys_, np.zeros(300, int), np.tile(np.float32([0.6, 0.4]), (300, 1)), ["a", "b"])
        for keys_ in (first, second)
    ]
    labels = _Labels([], found, keys)
    assert labels.figures(0)["accuracy"] == 1.0 and max(first.reads, second.reads) <= 3
