"""A FastDFS client: the wire protocol of FastDFS 6 in plain Python, with nothing but the standard library.

It imports nothing of the studio, so that an edge device can use it as it is.
"""

from .client import Client
from .errors import (
    Busy,
    ConnectionFailed,
    DataDamaged,
    FastDFSError,
    FileNotInStore,
    InvalidFileId,
    NoActiveStorage,
    NoSpace,
    ProtocolError,
    RequestRefused,
)
from .fileid import FileId
from .urls import signed_url

__all__ = [
    "Busy",
    "Client",
    "ConnectionFailed",
    "DataDamaged",
    "FastDFSError",
    "FileId",
    "FileNotInStore",
    "InvalidFileId",
    "NoActiveStorage",
    "NoSpace",
    "ProtocolError",
    "RequestRefused",
    "signed_url",
]
