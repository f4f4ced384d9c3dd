"""What a user should know of the data of a training before it starts."""

from __future__ import annotations

from datasets.models import Snapshot, Split

MOST_NAMES = 10


def data_warnings(snapshot: Snapshot) -> list[str]:
    """Sentences: labels that cannot be validated or tested, and what the snapshot says of its groups."""
    warnings = []
    for split, verb in (("test", "tested"), ("validation", "validated")):
        missing = [name for name, counts in snapshot.counts["labels"].items() if not counts.get(split)]
        if missing:
            more = f" and {len(missing) - MOST_NAMES} more" if len(missing) > MOST_NAMES else ""
            warnings.append(
                f"No {split} images with the label {', '.join(sorted(missing)[:MOST_NAMES])}{more}: it is not {verb}, "
                "and averages do not cover it. Add images of it, or take a snapshot with other fractions."
            )
    return warnings + [remark["detail"] for remark in snapshot.counts.get("remarks", ())]


def seen_of(snapshot: Snapshot) -> dict:
    """Images of each split, and of each label in each split."""
    counts = snapshot.counts
    return {
        "snapshot": str(snapshot.pk),
        "images": _by_split(counts["splits"]),
        "labels": [{"name": name, **_by_split(counts["labels"].get(name, {}))} for name in snapshot.class_names],
    }


def _by_split(counts: dict[str, int]) -> dict[str, int]:
    return {split: counts.get(split, 0) for split in (Split.TRAIN.value, Split.VALIDATION.value, Split.TEST.value)}
