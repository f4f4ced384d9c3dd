"""The manifest: what a device is to run and where to get it, signed.

Everything that it takes is read with the device in one query; what is in it changes only with the deployment, the keys
or the period, so that its ETag is known before it is written.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from edge.keys import Signer, signers
from edge.models import Deployment, Device
from storage.backends import BackendError
from storage.publishing import locate

FORMAT = 1
DEFAULT_POLL_SECONDS = 60
LONGEST_ADDRESS_SECONDS = 7 * 86_400  # of a signed address of S3


@dataclass(frozen=True)
class Manifest:
    """What is signed, and its tag."""

    etag: str
    issued_at: int
    expires_at: int
    device: Device
    target: Deployment | None
    signers: list[Signer]

    def envelope(self, base_url: str) -> dict:
        """`{"payload", "signatures"}`. The payload is JSON in base64: what is signed is exactly what is sent."""
        payload = json.dumps(self._payload(base_url), separators=(",", ":"), ensure_ascii=False).encode()
        return {
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"key_id": signer.key_id, "signature": signer.sign(payload)} for signer in self.signers],
        }

    def _payload(self, base_url: str) -> dict:
        group = self.device.group
        return {
            "format": FORMAT,
            "device": str(self.device.pk),
            "sequence": self.device.sequence,
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
            "deployment": None if self.target is None else str(self.target.pk),
            # Without a deployment a device keeps what it runs, unless it is told to stop.
            "stop": self.target is None and self.device.is_stopped,
            "model": None if self.target is None else self.target.info,
            "file": None if self.target is None else self._file(self.target, base_url),
            "settings": {
                "poll_seconds": poll_seconds_of(self.device),
                "uncertain_below": 0.0 if group is None else group.uncertain_below,
                "uncertain_per_day": 0 if group is None else group.uncertain_per_day,
            },
            "keys": [{"key_id": signer.key_id, "public_key": signer.public_key} for signer in self.signers],
        }

    def _file(self, target: Deployment, base_url: str) -> dict:
        blob = target.file
        sources: list[dict] = []
        try:
            location = locate(blob, min(2 * settings.EDGE_MANIFEST_SECONDS, LONGEST_ADDRESS_SECONDS))
        except BackendError:  # the store is not configured any more: the studio still has the file
            location = None
        if location is not None and location.trackers:
            sources.append({"type": "fastdfs", "id": location.remote_id, "trackers": list(location.trackers)})
        if location is not None and location.url:
            sources.append({"type": "http", "url": location.url})
        sources.append({"type": "studio", "url": base_url + reverse("edge-file", args=[blob.sha256])})
        return {"kind": target.kind, "sha256": blob.sha256, "size": blob.size, "sources": sources}


def poll_seconds_of(device: Device) -> int:
    """How long a device waits between polls, from its first one on."""
    return DEFAULT_POLL_SECONDS if device.group is None else device.group.poll_seconds


def manifest_of(device: Device) -> Manifest:
    """The manifest of a device that was read with its group, deployment and files."""
    period = settings.EDGE_MANIFEST_SECONDS
    issued_at = int(time.time()) // (period // 2) * (period // 2)
    keys, target = signers(), device.target
    group = device.group
    parts = [
        str(device.pk),
        str(issued_at),
        f"{device.sequence}/{device.is_stopped}",
        "" if target is None else f"{target.pk}/{target.file.remote_id}",
        "" if group is None else f"{group.pk}/{group.poll_seconds}/{group.uncertain_below}/{group.uncertain_per_day}",
        *(key.key_id for key in keys),
    ]
    etag = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return Manifest(etag, issued_at, issued_at + period, device, target, keys)
