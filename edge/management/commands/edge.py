"""Keys that manifests are signed with: `manage.py edge keys | rotate-key | retire-keys`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from common.words import counted
from edge import keys
from edge.models import SigningKey


class Command(BaseCommand):
    help = "Shows and changes the keys that sign the manifests of devices."

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        steps.add_parser("keys", help="show the public keys")
        steps.add_parser("rotate-key", help="make a new key; the old ones sign beside it, so that devices learn it")
        steps.add_parser("retire-keys", help="let only the newest key sign, once all devices have polled")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["step"] == "rotate-key":
            made = keys.make_key()
            self.stdout.write(
                f"Made {made.key_id}. Devices learn it with their next poll; when all were seen, run "
                "`manage.py edge retire-keys`."
            )
        elif options["step"] == "retire-keys":
            self.stdout.write(f"{counted(keys.retire_others(), 'older key signs', 'older keys sign')} no more.")
        keys.signers()
        for row in SigningKey.objects.order_by("id"):
            state = f"retired {row.retired_at:%Y-%m-%d}" if row.retired_at else "signs"
            self.stdout.write(f"{row.key_id}  {row.public_key}  {state}")
