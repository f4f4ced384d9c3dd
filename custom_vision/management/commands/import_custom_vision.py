"""`manage.py import_custom_vision`: a project of Azure Custom Vision, copied into this studio."""

from __future__ import annotations

import getpass
import os
import sys
import threading
import time
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from common.errors import StudioError
from custom_vision.copying import source_projects, start_copy
from custom_vision.wire import id_or_none
from jobs.models import ENDED, Job, WorkState
from jobs.services import run_job

KEY = "CUSTOM_VISION_KEY"
SECONDS = 1.0


class Command(BaseCommand):
    help = (
        "Copy a project of Azure Custom Vision: tags, images as they are, regions and metadata. Called again "
        "it goes on where it stopped, and copies what is new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--endpoint", required=True, help="https://name.cognitiveservices.azure.com")
        parser.add_argument("--key", help=f"its Training-Key; by default from {KEY}, or asked for")
        parser.add_argument("--project", help="its id or name there; without it, the projects are listed")
        parser.add_argument("--name", default="", help="of the project here; by default as there")
        parser.add_argument("--user", help="whose project it becomes; needed where the studio has several users")

    def handle(self, *args: Any, **options: Any) -> None:
        key = options["key"] or os.environ.get(KEY) or getpass.getpass("Training-Key: ")
        try:
            rows = source_projects(options["endpoint"], key)
            if not options["project"]:
                self.stdout.write("\n".join(f"{row['id']}  {row['name']}" for row in rows) or "There are no projects.")
                return
            source = _chosen(rows, options["project"])
            user, name = _user(options["user"]), options["name"].strip()
            job = start_copy(user=user, endpoint=options["endpoint"], key=key, source=source, name=name)
        except StudioError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"Copying into the project {job.project} ({job.project_id}).")
        self._follow(job)

    def _follow(self, job: Job) -> None:
        """Do the job here, unless a worker of the studio does it, and say how far it is."""
        over = threading.Event()
        reporter = threading.Thread(target=self._report, args=(job.pk, over), daemon=True)
        reporter.start()
        try:
            while Job.objects.filter(pk=job.pk).exclude(state__in=ENDED).exists():
                run_job(str(job.pk))
                time.sleep(SECONDS)
        finally:
            over.set()
            reporter.join()
        job.refresh_from_db()
        if job.state != WorkState.SUCCEEDED:
            raise CommandError(f"{job.error_detail or 'It was cancelled.'} Call this again: it goes on from here.")
        counts = job.result or {}
        self.stdout.write(
            f"{counts['images']} images copied, {counts['duplicates']} were there already, {counts['failed']} failed; "
            f"{counts['tags']} tags."
        )
        if counts["failed"]:
            raise CommandError("Some images failed: the job's log in the pages names them. Call this again for them.")

    def _report(self, pk: Any, over: threading.Event) -> None:
        said = None
        try:
            while not over.wait(SECONDS):
                progress = Job.objects.values_list("progress", flat=True).get(pk=pk)
                if progress and progress.get("done") != said:
                    said = progress["done"]
                    self.stdout.write(f"{said} of {progress['total']} images")
                    sys.stdout.flush()
        finally:
            connection.close()


def _chosen(rows: list[dict[str, Any]], text: str) -> str:
    pk = id_or_none(text)
    ids = [str(row["id"]) for row in rows if (id_or_none(str(row["id"])) == pk if pk else row["name"] == text)]
    if len(ids) != 1:
        detail = "has no project" if not ids else f"has {len(ids)} projects"
        raise CommandError(f"The endpoint {detail} {text}: name it by its id; without --project they are listed.")
    return ids[0]


def _user(name: str | None) -> User:
    users = User.objects.filter(is_active=True)
    if name:
        user = users.filter(username=name).first()
        if user is None:
            raise CommandError(f"The studio has no user {name}.")
        return user
    several = list(users[:2])
    if len(several) != 1:
        raise CommandError("Say with --user whose project it becomes.")
    return several[0]
