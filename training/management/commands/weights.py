"""`manage.py weights`: pretrained weights on this machine; nothing is downloaded without consent."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import StudioError
from common.words import format_bytes
from training import weights as pretrained
from training.weights_download import shown_address
from vision.training.pretrained import PRETRAINED, PretrainedWeights

OFF = (
    "Downloads of weights are switched off here (MLSTUDIO_WEIGHTS=off). A file can be added: manage.py weights add FILE"
)


class Command(BaseCommand):
    help = "List pretrained weights, download them (it asks before), add files that were brought here, verify them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list | download | add | verify")
        actions.add_parser("list", help="what there is, and what is here")
        download = actions.add_parser("download", help="bring weights from their source or a mirror")
        download.add_argument("names", nargs="+", metavar="NAME", choices=[*PRETRAINED], help="as `list` names them")
        download.add_argument("--yes", action="store_true", help="do not ask")
        take = actions.add_parser("add", help="take files that were brought another way")
        take.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="named as their source names them")
        actions.add_parser("verify", help="compare what is here with what its source published")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        self._printed = 0.0
        try:
            {"list": self._list, "download": self._download, "add": self._add, "verify": self._verify}[action](options)
        except StudioError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error}.") from error

    def _list(self, options: dict) -> None:
        for here in pretrained.state_of_all():
            weights = here.weights
            state = f"here: {here.path}" if here.path else f"not here, {pretrained.size_of(weights)}"
            self.stdout.write(
                f"{weights.name:32} {weights.title}\n{'':32} {state}; {weights.licence}, {weights.source}"
            )

    def _download(self, options: dict) -> None:
        if settings.WEIGHTS == "off":
            raise CommandError(OFF)
        for weights in map(pretrained.weights_named, options["names"]):
            if not (options["yes"] or settings.WEIGHTS == "auto" or self._consents(weights)):
                self.stdout.write("Nothing was downloaded.")
                continue
            path = pretrained.download(weights, self._progress)
            self.stdout.write(f"{weights.name} is here: {path}. Trainings use it from now on.")

    def _consents(self, weights: PretrainedWeights) -> bool:
        source = shown_address(settings.WEIGHTS_URL) or weights.source
        question = f"Download {weights.title} ({pretrained.size_of(weights)}, {weights.licence}) from {source}?"
        if not sys.stdin.isatty():
            raise CommandError(f"{question} Nobody is here to answer: say --yes.")
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    def _progress(self, file: str, done: int, total: int | None) -> None:
        if time.monotonic() - self._printed > 1 or done == total:
            self._printed = time.monotonic()
            of = "" if total is None else f" of {format_bytes(total)}"
            self.stderr.write(f"{file}: {format_bytes(done)}{of}")

    def _add(self, options: dict) -> None:
        for path in options["paths"]:
            for weights in pretrained.add(path):
                self.stdout.write(f"{weights.title}: taken. Trainings use it from now on.")

    def _verify(self, options: dict) -> None:
        states = list(pretrained.verify())
        for here in states:
            if here.problem:
                said = f"damaged: {here.problem}"
            else:
                said = "good" if here.is_checked else "not compared: its source publishes no hash"
            self.stdout.write(f"{here.weights.name:32} {said} ({here.path})")
        if not states:
            self.stdout.write("No pretrained weights are here. `manage.py weights list` says which there are.")
        if any(here.problem for here in states):
            raise CommandError("Some weights are damaged.")
