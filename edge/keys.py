"""Secrets of devices, and the Ed25519 keys that manifests are signed with (RFC 8032, by libsodium)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from nacl.encoding import RawEncoder
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.signing import SigningKey as NaclKey

from edge.errors import SigningKeyUnreadable
from edge.models import SigningKey

DEVICE_PREFIX, CODE_PREFIX = "msd_", "mse_"
# A rotated key is known to every web process after so many seconds.
KEYS_SECONDS = 30.0


def new_secret(prefix: str) -> str:
    """256 random bits with a prefix that says what they are for."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is kept of a secret. It is random, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True)
class Signer:
    """A key ready to sign."""

    key_id: str
    public_key: str
    key: NaclKey

    def sign(self, content: bytes) -> str:
        return base64.b64encode(self.key.sign(content, encoder=RawEncoder).signature).decode()


_lock = threading.Lock()
_known: tuple[float, list[Signer]] = (0.0, [])


def signers() -> list[Signer]:
    """The keys that sign now, the newest last; the first one is made when there is none. Remembered for a while."""
    global _known
    with _lock:
        read_at, keys = _known
        if keys and time.monotonic() - read_at < KEYS_SECONDS:
            return keys
        keys = [_opened(row) for row in SigningKey.objects.filter(retired_at=None).order_by("id")]
        if not keys:
            keys = [make_key()]
        _known = (time.monotonic(), keys)
        return keys


def forget_keys() -> None:
    """Read them again the next time."""
    global _known
    _known = (0.0, [])


@transaction.atomic
def make_key() -> Signer:
    """A new key. With others it signs beside them, so that devices learn to trust it before the others retire."""
    key = NaclKey.generate()
    public = base64.b64encode(bytes(key.verify_key)).decode()
    row = SigningKey.objects.create(
        key_id=hashlib.sha256(bytes(key.verify_key)).hexdigest()[:16],
        public_key=public,
        sealed=base64.b64encode(_box().encrypt(bytes(key))).decode(),
    )
    return Signer(row.key_id, public, key)


@transaction.atomic
def retire_others() -> int:
    """Only the newest key signs from now on. Returns how many ended."""
    newest = SigningKey.objects.filter(retired_at=None).order_by("-id").first()
    if newest is None:
        return 0
    return SigningKey.objects.filter(retired_at=None).exclude(pk=newest.pk).update(retired_at=timezone.now())


def _opened(row: SigningKey) -> Signer:
    try:
        seed = _box().decrypt(base64.b64decode(row.sealed))
    except CryptoError as error:
        raise SigningKeyUnreadable() from error
    return Signer(row.key_id, row.public_key, NaclKey(seed))


def _box() -> SecretBox:
    return SecretBox(hashlib.sha256(b"edge.signing-key\n" + settings.SECRET_KEY.encode()).digest())
