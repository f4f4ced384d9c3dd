"""Fields of answers that have a new name, and are answered under the deprecated one too."""

from __future__ import annotations


def under_both_names(content: dict, names: dict[str, str]) -> dict:
    """A row as it is answered while a field has two names, whichever of them it was written with.

    Args:
        names: deprecated name → name.
    """
    both = {old: content[new] for old, new in names.items() if new in content}
    return both | {new: content[old] for old, new in names.items() if old in content} | content
