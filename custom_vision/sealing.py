"""Keys of other services, as they lie in the database: sealed with the secret of this studio."""

from __future__ import annotations

import base64
import hashlib

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox


def seal(key: str) -> str:
    return base64.b64encode(_box().encrypt(key.encode())).decode()


def unseal(sealed: str) -> str | None:
    """None: there is none, or it was sealed with another secret."""
    try:
        return _box().decrypt(base64.b64decode(sealed)).decode() if sealed else None
    except (CryptoError, ValueError):
        return None


def _box() -> SecretBox:
    return SecretBox(hashlib.sha256(b"custom_vision.key\n" + settings.SECRET_KEY.encode()).digest())
