"""Real photographs and pretrained weights, for those who have them: a folder beside the project, or named."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ.get("MLSTUDIO_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SIGN_DIGITS = FOLDER / "sign-digits-folders.zip"
WEIGHTS = FOLDER / "weights" / "keras"
