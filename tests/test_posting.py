"""Webhooks to receivers that are slow on purpose, and to addresses that are none of ours."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from projects.services import create_project
from tests.conftest import client_of
from webhooks import posting
from webhooks.deliveries import OF_A_PROJECT, _claim_some, deliver_due
from webhooks.models import Webhook, WebhookDelivery
from webhooks.posting import RefusedAddress, TookTooLong, is_public, post, resolve
from webhooks.services import check_url

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("HTTP to other servers")]
LIMIT = 0.4


class Dripper:
    """Accepts connections and sends `start`, then a byte of `more` every few milliseconds, without end."""

    def __init__(self, start: bytes, more: bytes) -> None:
        self._start, self._more, self.closed = start, more, threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(self._start)
            while not self.closed.wait(0.01):
                if self._more:
                    connection.sendall(self._more)

    def close(self) -> None:
        self.closed.set()
        self._listening.close()


WAYS = {
    "silence": (b"", b""),
    "a status that comes slowly": (b"HTTP/1.1 2", b"0"),
    "headers without end": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "many headers": (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    "a body without end": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
}


@pytest.fixture
def dripper(request, settings):
    server = Dripper(*request.param)
    settings.WEBHOOK_HOSTS = [f"127.0.0.1:{server.port}"]
    yield server
    server.close()


def bounded(call) -> None:
    """The call fails, and long before anybody would give up: with room for a busy machine."""
    began = time.monotonic()
    with pytest.raises((TookTooLong, OSError, posting.http.client.HTTPException)):
        call()
    assert time.monotonic() - began < LIMIT + 10


@pytest.mark.parametrize("dripper", WAYS.values(), ids=WAYS, indirect=True)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_whole_exchange_has_one_time(dripper, scheme):
    bounded(lambda: post(f"{scheme}://127.0.0.1:{dripper.port}/", b"{}", {}, seconds=LIMIT))


def test_a_name_server_has_it_too(monkeypatch):
    found = threading.Event()

    def slow(*arguments, **options):
        found.wait(60)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    bounded(lambda: post("https://slow.example.com/", b"{}", {}, seconds=LIMIT))
    monkeypatch.setattr("webhooks.services.LOOK_UP_SECONDS", LIMIT)
    with pytest.raises(Exception, match="not found in time"):
        check_url("https://slow.example.com/")
    found.set()


@pytest.mark.parametrize("dripper", [WAYS["a body without end"]], indirect=True)
def test_of_an_answer_little_is_read(dripper, settings):
    dripper._more = b"x" * 5000
    assert post(f"http://127.0.0.1:{dripper.port}/", b"{}", {}, seconds=20) == 200


REFUSED = [
    "https://[fec0::1]/",
    "https://192.88.99.1/",
    "https://8.8.8.8:0/",
    "https://8.8.8.8:22/",
    "https://8.8.8.8:25/",
    "https://[fec0::1]:8443/",
    "https://[::ffff:192.88.99.1]/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_and_ports_that_are_none_of_ours(url):
    with pytest.raises(RefusedAddress):
        resolve(url)


def test_public_ones_are_reached():
    assert is_public("8.8.8.8") and is_public("2606:4700::1111")
    assert resolve("https://8.8.8.8:8443/x").port == 8443


def test_a_refusal_does_not_tell_what_is_inside(monkeypatch):
    def answers(*addresses):
        found = [(2, 1, 6, "", (address, 443)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: found)
        with pytest.raises(RefusedAddress) as refused:
            resolve("https://files.internal/")
        return str(refused.value)

    assert answers("10.1.2.3") == answers("127.0.0.1", "8.8.8.8") == answers()
    assert "10.1.2.3" not in answers("10.1.2.3")


def waiting(project, count: int) -> None:
    webhook = Webhook.objects.create(project=project, url="https://nowhere.invalid/", secret="whsec_eA==")
    for _ in range(count):
        WebhookDelivery.objects.create(webhook=webhook, event="x", payload={}, next_attempt_at=timezone.now())


def test_one_project_does_not_take_all_places(project, owner):
    waiting(project, 30)
    other = create_project(user=owner, name="other")
    waiting(other, 1)
    claimed = _claim_some()
    projects = [one.webhook.project_id for one in claimed]
    assert projects.count(project.pk) == OF_A_PROJECT and projects.count(other.pk) == 1


def test_all_that_is_due_is_tried_once(project, monkeypatch):
    monkeypatch.setattr(posting, "post", lambda *arguments, **options: 204)
    waiting(project, 11)
    assert deliver_due() == 11 and deliver_due() == 0
    assert set(WebhookDelivery.objects.values_list("state", "attempts")) == {("delivered", 1)}


def test_they_have_a_queue_of_their_own():
    assert django_settings.CELERY_TASK_ROUTES["projects.tasks.deliver_webhooks"] == {"queue": "webhooks"}


def test_test_messages_are_limited_by_user_and_by_project(api, project, owner, editor):
    hooks = [Webhook.objects.create(project=project, url="https://example.com", secret="whsec_eA==") for _ in range(2)]
    answers = [api.post(f"/api/v1/webhooks/{hooks[n % 2].pk}/test/").status_code for n in range(21)]
    assert answers == [202] * 20 + [429]
    project.memberships.filter(user=editor).update(role="owner")
    assert client_of(editor).post(f"/api/v1/webhooks/{hooks[0].pk}/test/").status_code == 429
    other = create_project(user=editor, name="other")
    hook = Webhook.objects.create(project=other, url="https://example.com", secret="whsec_eA==")
    assert client_of(editor).post(f"/api/v1/webhooks/{hook.pk}/test/").status_code == 202
