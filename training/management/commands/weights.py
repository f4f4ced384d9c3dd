"""`manage.py weights`: pretrained weights on this machine; nothing is downloaded without consent."""

from __future__ import annotations

import select
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

# What is offered at the first start, and for how long: one that nobody watches goes on.
FIRST, ANSWER_SECONDS = PRETRAINED["mobilenet_v2"], 60.0
OFF = (
    "Downloads of weights are switched off here (MLSTUDIO_WEIGHTS=off). A file can be added: manage.py weights add FILE"
)


class Command(BaseCommand):
    help = "List pretrained weights, download them (it asks before), add files that were brought here, verify them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list | download | add | offer | verify")
        actions.add_parser("list", help="what there is, and what is here")
        download = actions.add_parser("download", help="bring weights from their source or a mirror")
        download.add_argument("names", nargs="+", metavar="NAME", choices=[*PRETRAINED], help="as `list` names them")
        download.add_argument("--yes", action="store_true", help="do not ask")
        take = actions.add_parser("add", help="take files that were brought another way")
        take.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="named as their source names them")
        actions.add_parser("offer", help="ask, as the first start does, and only once")
        actions.add_parser("verify", help="compare what is here with what its source published")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        self._printed = 0.0
        actions = {
            "list": self._list,
            "download": self._download,
            "add": self._add,
            "offer": self._offer,
            "verify": self._verify,
        }
        try:
            actions[action](options)
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
        question = _question(weights)
        if not sys.stdin.isatty():
            raise CommandError(f"{question} Nobody is here to answer: say --yes.")
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    def _offer(self, options: dict) -> None:
        if settings.WEIGHTS != "ask" or settings.WEIGHTS_ASKED_FILE.exists() or not sys.stdin.isatty():
            return
        try:
            self.stdout.write("No pretrained weights are here, with which far fewer images are enough.")
            self.stdout.write(f"{_question(FIRST)} [y/N] ", ending="")
            self.stdout.flush()
            has_answered = select.select([sys.stdin], [], [], ANSWER_SECONDS)[0]
            answer = sys.stdin.readline().strip().lower() if has_answered else ""
        except KeyboardInterrupt:  # the start ends, and the next one asks
            self.stdout.write("")
            return
        settings.WEIGHTS_FOLDER.mkdir(parents=True, exist_ok=True)
        settings.WEIGHTS_ASKED_FILE.write_text(f"{answer}\n")
        if answer not in ("y", "yes"):
            self.stdout.write("Nothing was downloaded. This is not asked again: make weights lists them.")
            return
        try:
            pretrained.download(FIRST, self._progress)
        except KeyboardInterrupt as error:
            raise CommandError("The download was stopped; the next one goes on from there.") from error
        self.stdout.write(f"{FIRST.name} is here. Trainings use it from now on.")

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


def _question(weights: PretrainedWeights) -> str:
    source = shown_address(settings.WEIGHTS_URL) or weights.source
    return f"Download {weights.title} ({pretrained.size_of(weights)}, {weights.licence}) from {source}?"
