"""`manage.py prepare`: the tables of the database. One process, for starting it is most of the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.core.management.base import CommandParser
from django.db import connection

from mlstudio.data_folder import OtherFolder, is_known, require_shared
from mlstudio.launcher.problems import OTHER_FOLDER
from mlstudio.private import make_private_file


class Command(BaseCommand):
    help = "Bring the database up to date: its migrations, and the table of the cache."
    requires_system_checks = []  # `migrate` makes its own

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail where it is not up to date")
        parser.add_argument(
            "--take-folder", action="store_true", help="this data folder takes the place of the database's own"
        )

    def handle(self, *args: Any, check: bool, take_folder: bool, **options: Any) -> None:
        if connection.vendor == "sqlite" and not check:
            make_private_file(Path(connection.settings_dict["NAME"]))
        call_command("migrate", verbosity=0, skip_checks=check, check_unapplied=check)
        if check and not is_known():
            raise CommandError("The database has not been prepared.")
        if not check:
            call_command("createcachetable", verbosity=0)
        try:
            require_shared(settings.DATA_DIR, take=take_folder)
        except OtherFolder as error:
            raise CommandError(str(error), returncode=OTHER_FOLDER) from error
