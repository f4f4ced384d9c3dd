"""Uploads in parts that are complete, in the place of files that come with a request."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property

from django.contrib.auth.models import User

from common.errors import NotFound
from storage.cache import Incoming
from storage.errors import UploadIncomplete
from storage.models import Upload
from storage.resumable import adopt_upload, delete_upload

NOT_THERE = "You have no upload {pk} (any more): it was used, given up, has expired, or is somebody else's."


class FinishedUpload:
    """What views read of a file that was sent: `name`, `size`, `incoming`. It is hashed when it is taken."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.name = upload.filename or "file"
        self.size = upload.length

    @cached_property
    def incoming(self) -> Incoming:
        return adopt_upload(self.upload)

    def forget(self) -> None:
        """Let go of what was taken and not kept."""
        if "incoming" in self.__dict__:
            self.incoming.discard()


class Taking:
    """The uploads that one request takes: they are gone when it succeeds, and stay for another try when it fails."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._taken: list[FinishedUpload] = []

    def take(self, pk: uuid.UUID) -> FinishedUpload:
        """Raises `NotFound`, `UploadIncomplete`."""
        upload = Upload.objects.filter(user=self._user.pk, pk=pk).first()
        if upload is None:
            raise NotFound(NOT_THERE.format(pk=pk))
        if not upload.is_complete:
            raise UploadIncomplete()
        finished = FinishedUpload(upload)
        self._taken.append(finished)
        return finished

    def settle(self) -> None:
        for finished in self._taken:
            delete_upload(upload=finished.upload)

    def forget(self) -> None:
        for finished in self._taken:
            finished.forget()


@contextmanager
def taking_uploads(user: User) -> Iterator[Taking]:
    taking = Taking(user)
    with ExitStack() as cleanup:
        cleanup.callback(taking.forget)
        yield taking
        taking.settle()
