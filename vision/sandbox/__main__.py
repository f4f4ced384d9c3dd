"""`python -m vision.sandbox [FILE …]`: try by hand what a process in the sandbox may do, also to the named files."""

from __future__ import annotations

import sys
from pathlib import Path

from vision.sandbox import protections
from vision.sandbox.selftest import attempt_everything


def main() -> int:
    for sentence in protections.missing():
        sys.stdout.write(f"missing: {sentence}\n")
    surprises = 0
    for result in attempt_everything([Path(name) for name in sys.argv[1:]]):
        surprises += not result.as_meant
        sys.stdout.write(f"{'ok' if result.as_meant else 'OPEN':>5}  {result.attempt:<30} {result.answer}\n")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
