"""`manage.py prepare`: the tables of the database. One process, for starting it is most of the work."""

from __future__ import annotations

from django.core.management import BaseCommand, call_command


class Command(BaseCommand):
    help = "Bring the database up to date: its migrations, and the table of the cache."
    requires_system_checks = []  # `migrate` makes its own

    def handle(self, *args, **options) -> None:
        call_command("migrate", verbosity=0, skip_checks=False)
        call_command("createcachetable", verbosity=0)
