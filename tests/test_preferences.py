"""Preferences of the pages: typed, and two browsers that change different things keep both."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
ME = "/api/v1/users/me/"


def change(api, **preferences):
    return api.patch(ME, {"preferences": preferences})


def test_keys_of_two_browsers_are_merged_action_by_action(api):
    change(api, keys={"gallery.left": ["A"]}, theme="dark")
    change(api, keys={"gallery.right": ["D", "ArrowRight"]})
    kept = change(api, keys={"gallery.left": None, "review.take": []}).json()["preferences"]
    assert kept == {"theme": "dark", "keys": {"gallery.right": ["D", "ArrowRight"], "review.take": []}}
    assert api.get("/api/v1/auth/session/").status_code == 200
    assert change(api, keys=None).json()["preferences"] == {"theme": "dark"}


def test_an_entry_that_nobody_has_is_removed_without_a_trace(api):
    assert change(api, keys={"gallery.left": None}).json()["preferences"] == {"keys": {}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"theme": "blue"},
        {"tile_size": "xl"},
        {"language": "x" * 21},
        {"keys": {"a": "b"}},
        {"keys": ["a"]},
        {"keys": {"a": ["x"] * 9}},
        {"keys": {f"action-{n}": [] for n in range(301)}},
    ],
)
def test_what_the_pages_know_has_a_shape(api, wrong):
    assert change(api, **wrong).status_code == 400
    assert api.get(ME).json()["preferences"] == {}


def test_other_clients_keep_what_they_like_beside_it(api):
    assert change(api, my_tool={"columns": [1, 2]}, tile_size="l").status_code == 200
    assert api.get(ME).json()["preferences"] == {"my_tool": {"columns": [1, 2]}, "tile_size": "l"}


def test_a_stranger_has_none(api):
    api.force_authenticate(None)
    assert change(api, theme="dark").status_code == 401
