"""Which boxes of a video are one thing: ByteTrack (Zhang et al. 2022), from a library, a label at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from vision.runtime.boxes import iou_matrix

BUFFER_SECONDS = 1.0
MATCH = 0.8
SAME_IOU = 0.3
# The library numbers its tracks in a variable that all trackers of a process share.
_one_at_a_time = threading.Lock()

FrameBoxes = Sequence[dict]


def track(frames: Iterable[FrameBoxes], thresholds: Mapping[str, float], *, fps: float) -> Iterator[list[int]]:
    """Numbers of the things that the boxes show, frame by frame; 0 for a box that is not followed.

    Args:
        frames: of each frame its boxes: `{"label", "score", "box": [x_min, y_min, x_max, y_max]}`.
        thresholds: of all labels that occur; boxes above it begin and keep tracks, those below may only keep them.
        fps: frames a second, of those given.
    """
    from cjm_byte_track.byte_tracker import BYTETracker

    with _one_at_a_time:
        # The library waits `track_buffer` thirtieths of a second.
        trackers = {
            label: BYTETracker(
                track_thresh=threshold,
                track_buffer=round(30 * BUFFER_SECONDS),
                match_thresh=MATCH,
                frame_rate=max(1, round(fps)),
            )
            for label, threshold in thresholds.items()
        }
        numbers: dict[int, int] = {}
        for boxes in frames:
            found = [0] * len(boxes)
            for label, tracker in trackers.items():
                mine = [index for index, one in enumerate(boxes) if one["label"] == label]
                table = np.array([[*boxes[index]["box"], boxes[index]["score"]] for index in mine], float)
                tracks = tracker.update(table.reshape(-1, 5), (1, 1), (1, 1))
                for index, number in _paired(table.reshape(-1, 5)[:, :4], tracks):
                    found[mine[index]] = numbers.setdefault(number, len(numbers) + 1)
            yield found


def _paired(boxes: np.ndarray, tracks: list) -> Iterator[tuple[int, int]]:
    """Each track with the box that it was made of: the one it overlaps most."""
    if not len(boxes) or not tracks:
        return
    overlap = iou_matrix(np.array([track.tlbr for track in tracks], np.float32), boxes.astype(np.float32))
    for row in np.argsort(-overlap.max(axis=1), kind="stable"):
        index = int(overlap[row].argmax())
        if overlap[row, index] >= SAME_IOU:
            yield index, tracks[row].track_id
            overlap[:, index] = 0
