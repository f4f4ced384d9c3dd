"""Is this what the studio signed? Ed25519 (RFC 8032) by libsodium, with the keys that were pinned at enrolment."""

from __future__ import annotations

import base64
import json
import time

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from .errors import NotTrusted

FORMAT = 1


def opened(envelope: dict, identity: dict, last_sequence: int) -> dict:
    """The manifest in an envelope.

    Args:
        identity: with `device` and `keys`, the trusted public keys by id.
        last_sequence: of the last manifest that was taken; an older one is somebody's recording.

    Raises:
        NotTrusted: no trusted key signed it, it is for another device, too old, or over.
    """
    try:
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = {signature["key_id"]: signature["signature"] for signature in envelope["signatures"]}
    except (KeyError, TypeError, ValueError) as error:
        raise NotTrusted(f"The manifest cannot be read: {error!r}") from error
    if not any(_is_signed(payload, signatures.get(key_id), key) for key_id, key in identity["keys"].items()):
        raise NotTrusted(
            "No key that this device trusts has signed the manifest. If the studio's keys were changed, enrol again."
        )
    manifest = json.loads(payload)
    if manifest.get("format") != FORMAT:
        raise NotTrusted(f"The manifest has the format {manifest.get('format')!r}: update this agent.")
    if manifest["device"] != identity["device"]:
        raise NotTrusted("The manifest is for another device.")
    if manifest["sequence"] < last_sequence:
        raise NotTrusted(f"The manifest is older (sequence {manifest['sequence']}) than one before ({last_sequence}).")
    if manifest["expires_at"] < time.time():
        raise NotTrusted("The manifest is over. Is the clock of this device right?")
    return manifest


def _is_signed(payload: bytes, signature: str | None, public_key: str) -> bool:
    if not isinstance(signature, str):
        return False
    try:
        VerifyKey(base64.b64decode(public_key)).verify(payload, base64.b64decode(signature))
    except (BadSignatureError, ValueError, TypeError):
        return False
    return True


def keys_of(entries: list) -> dict:
    """`[{"key_id", "public_key"}]` by id."""
    return {entry["key_id"]: entry["public_key"] for entry in entries}
