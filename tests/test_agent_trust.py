"""Whom a device trusts: a manifest that one of its keys signed, for it, not older than the last, and not over."""

from __future__ import annotations

import base64
import json
import time

import pytest
from nacl.signing import SigningKey

from tests.studio import ROOT


@pytest.fixture(autouse=True)
def package(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "agent"))


OWN, OTHER = SigningKey(bytes(32)), SigningKey(bytes([1]) * 32)


def public(key: SigningKey) -> str:
    return base64.b64encode(bytes(key.verify_key)).decode()


def manifest(**changes) -> dict:
    good = {"format": 1, "device": "d1", "sequence": 5, "expires_at": time.time() + 60, "deployment": None}
    return {**good, **changes}


def envelope(content: dict, *signers: tuple[str, SigningKey]) -> dict:
    payload = json.dumps(content).encode()
    signatures = [
        {"key_id": name, "signature": base64.b64encode(key.sign(payload).signature).decode()} for name, key in signers
    ]
    return {"payload": base64.b64encode(payload).decode(), "signatures": signatures}


def opened(given: dict, last: int = 5):
    from mlstudio_agent.trust import opened as open_envelope

    return open_envelope(given, {"device": "d1", "keys": {"k1": public(OWN)}}, last)


@pytest.mark.parametrize("last", [0, 4, 5])
def test_a_manifest_that_a_trusted_key_signed_is_taken_also_the_same_again(last):
    content = manifest()
    assert opened(envelope(content, ("k1", OWN)), last) == content


def test_one_trusted_signature_among_others_is_enough():
    content = manifest()
    assert opened(envelope(content, ("k0", OTHER), ("k1", OWN), ("k2", OTHER))) == content


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sequence": 4}, "older"),
        ({"device": "d2"}, "another device"),
        ({"expires_at": 0}, "is over"),
        ({"format": 2}, "update this agent"),
        ({"format": None}, "update this agent"),
    ],
)
def test_a_signed_manifest_that_does_not_hold_here_is_refused(changes, said):
    from mlstudio_agent.errors import NotTrusted

    with pytest.raises(NotTrusted, match=said):
        opened(envelope(manifest(**changes), ("k1", OWN)))


def wrong_envelopes() -> dict[str, object]:
    good, other = envelope(manifest(), ("k1", OWN)), envelope(manifest(sequence=9), ("k1", OWN))
    signature = good["signatures"][0]
    return {
        "another key under a trusted name": envelope(manifest(), ("k1", OTHER)),
        "a trusted key under another name": envelope(manifest(), ("k9", OWN)),
        "no signature": {**good, "signatures": []},
        "the signature of another manifest": {**good, "signatures": other["signatures"]},
        "a signature that is no text": {**good, "signatures": [{**signature, "signature": 7}]},
        "a signature that is no base64": {**good, "signatures": [{**signature, "signature": "ä"}]},
        "a short signature": {**good, "signatures": [{**signature, "signature": "AAAA"}]},
        "a payload that is no base64": {**good, "payload": "{}"},
        "no payload": {"signatures": good["signatures"]},
        "signatures that are none": {**good, "signatures": "k1"},
        "names that are none": {**good, "signatures": [{"key_id": [], "signature": ""}]},
        "no envelope": [],
    }


@pytest.mark.parametrize("case", wrong_envelopes())
def test_an_envelope_that_no_trusted_key_signed_is_refused(case):
    from mlstudio_agent.errors import NotTrusted

    with pytest.raises(NotTrusted):
        opened(wrong_envelopes()[case])  # type: ignore[arg-type]


def test_a_public_key_that_is_damaged_trusts_nothing():
    from mlstudio_agent.errors import NotTrusted
    from mlstudio_agent.trust import keys_of
    from mlstudio_agent.trust import opened as open_envelope

    assert keys_of([{"key_id": "a", "public_key": "b"}]) == {"a": "b"}
    for damaged in ("", "AAAA", "no base64"):
        with pytest.raises(NotTrusted):
            open_envelope(envelope(manifest(), ("k1", OWN)), {"device": "d1", "keys": {"k1": damaged}}, 0)
