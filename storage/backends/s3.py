"""Any store that speaks S3: ids are keys, made of the content's sha256."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from storage.backends.base import CHUNK_BYTES, BackendConfigurationError, BackendError, BackendUnavailable, NotInStore

MULTIPART_BYTES = 16 << 20
MAX_URL_SECONDS = 7 * 24 * 3600
MISSING = ("404", "NoSuchKey", "NotFound")


class S3Backend:
    """Args:
    client: of boto3.
    prefix: before every key, such as `mlstudio/`.
    """

    name = "s3"

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        # Parts are held in memory: two of them at once are 32 MB.
        self._transfer = TransferConfig(
            multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES, max_concurrency=2
        )

    def put(self, path: Path, sha256: str) -> str:
        key = f"{self._prefix}{sha256[:2]}/{sha256}"
        with _translated():
            self._client.upload_file(str(path), self._bucket, key, Config=self._transfer)
        return key

    def read(self, remote_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        if length == 0:
            return
        asked = {} if offset == 0 and length is None else {"Range": _range(offset, length)}
        with _translated():
            body = self._client.get_object(Bucket=self._bucket, Key=remote_id, **asked)["Body"]
            with body:
                yield from body.iter_chunks(CHUNK_BYTES)

    def size(self, remote_id: str) -> int:
        with _translated():
            return self._client.head_object(Bucket=self._bucket, Key=remote_id)["ContentLength"]

    def delete(self, remote_id: str) -> None:
        try:
            with _translated():
                self._client.delete_object(Bucket=self._bucket, Key=remote_id)
        except NotInStore:
            return

    def listed(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Keys below a prefix with their sizes, at most `limit`, without the empty objects that stand for folders."""
        found: list[tuple[str, int]] = []
        with _translated():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                found += [
                    (entry["Key"], entry["Size"])
                    for entry in page.get("Contents", [])
                    if not entry["Key"].endswith("/")
                ]
                if len(found) >= limit:
                    break
        return found[:limit]

    def shares_path(self, path: Path, remote_id: str) -> bool:
        return False

    def shares_folder(self, root: Path) -> bool:
        return False

    def url(self, remote_id: str, seconds: int) -> str | None:
        with _translated():
            return self._client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": remote_id},
                ExpiresIn=min(seconds, MAX_URL_SECONDS),
            )

    def check(self) -> str:
        with _translated():
            self._client.head_bucket(Bucket=self._bucket)
        return f"bucket {self._bucket} answers"


def _range(offset: int, length: int | None) -> str:
    return f"bytes={offset}-" if length is None else f"bytes={offset}-{offset + length - 1}"


@contextmanager
def _translated() -> Iterator[None]:
    """The library's errors as the storage's."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        kind = NotInStore if code in MISSING else BackendError
        raise kind(str(error)) from error
    except (EndpointConnectionError, NoCredentialsError) as error:
        raise BackendUnavailable(str(error)) from error
    except (BotoCoreError, boto3.exceptions.Boto3Error) as error:
        if isinstance(error.__cause__ or error.__context__, EndpointConnectionError) or "connect" in str(error).lower():
            raise BackendUnavailable(str(error)) from error
        raise BackendError(str(error)) from error


def make_client(settings: Any) -> Any:
    """Credentials come from the standard chain: environment, files, the machine's role."""
    style = settings.S3_ADDRESSING_STYLE
    if style not in ("auto", "path", "virtual"):
        raise BackendConfigurationError(f"S3_ADDRESSING_STYLE must be auto, path or virtual, received {style!r}.")
    config = Config(
        s3={"addressing_style": style},
        retries={"max_attempts": 3, "mode": "standard"},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=16,
    )
    try:
        return boto3.session.Session().client(
            "s3", endpoint_url=settings.S3_ENDPOINT or None, region_name=settings.S3_REGION or None, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise BackendConfigurationError(f"S3_ENDPOINT or S3_REGION is wrong: {error}") from error


def from_settings(settings: Any) -> S3Backend:
    if not settings.S3_BUCKET:
        raise BackendConfigurationError("Set S3_BUCKET to the name of your bucket.")
    return S3Backend(make_client(settings), settings.S3_BUCKET, settings.S3_PREFIX)
