"""Nobody takes all the memory that bodies share: users are told apart also behind one address."""

from __future__ import annotations

import pytest
from django.conf import settings as project_settings

from accounts.services import issue_login_token
from tests.conftest import make_user
from tests.studio import wait_for
from tests.test_bodies import code_of
from tests.web import answer_of, head, running_web

pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=project_settings.INSTALLED_APPS),
    pytest.mark.any_database("memory for bodies"),
]
PATH, LARGE = "/api/v1/projects/", 300 << 10


@pytest.fixture(scope="module")
def web(django_db_setup):
    with running_web() as running:
        yield running


@pytest.fixture(autouse=True)
def small_budget(settings) -> None:
    """A caller may have 256 KiB beside what is not counted."""
    settings.BODY_MEMORY_BYTES = 1 << 20


def begun(authorization: str) -> bytes:
    """The head of a body and most of it: the rest does not come."""
    start = head(
        "POST", PATH, Content_Type="application/json", Content_Length=str(1 << 20), Authorization=authorization
    )
    return start + b" " * LARGE


def token_of(name: str) -> str:
    return f"Token {issue_login_token(user=make_user(name))[1]}"


def held(web) -> int:
    return len(web.handler._memory._by_caller)


@pytest.mark.parametrize("strangers", [False, True])
def test_one_caller_is_refused_and_another_is_not(web, strangers):
    mia = "Token nonsense" if strangers else token_of("mia")
    with web.connect() as first, web.connect() as second, web.connect() as third:
        first.sendall(begun(mia))
        wait_for(lambda: web.handler._memory._taken > 200 << 10, 10)
        second.sendall(begun(mia))
        status, answer = answer_of(second)
        assert (status, code_of(answer)) == (429, "too_many_large_requests") and b"retry-after" in answer.lower()
        third.sendall(begun(token_of("zoe")))  # behind the same address
        wait_for(lambda: held(web) == 2, 10)
    wait_for(lambda: web.handler._memory._taken == 0 and held(web) == 0, 10)


def test_one_large_body_alone_is_never_too_much(web, settings):
    settings.BODY_MEMORY_BYTES = 700 << 10
    with web.client(token_of("mia").removeprefix("Token ")) as client:
        answer = client.post("projects/", content=b" " * (600 << 10), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
