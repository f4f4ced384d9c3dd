"""A page of hits of one kind after the other."""

from __future__ import annotations

import pytest

from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
SEARCH = "/api/v1/search/"


@pytest.fixture
def images(api, dataset) -> list[str]:
    names = [f"bolt-{n}.jpg" for n in range(5)]
    upload(api, dataset, [(name, jpeg(n)) for n, name in enumerate(reversed(names))])
    return names


def page(client, **query) -> tuple[list[str], bool]:
    answer = client.get(SEARCH, {"q": "bolt", **query})
    assert answer.status_code == 200, answer.content
    groups = answer.json()["groups"]
    return ([hit["name"] for group in groups for hit in group["hits"]], any(group["more"] for group in groups))


def test_pages_of_a_kind_follow_each_other(api, images):
    assert page(api, kind="image", limit=2) == (images[:2], True)
    assert page(api, kind="image", limit=2, offset=2) == (images[2:4], True)
    assert page(api, kind="image", limit=2, offset=4) == (images[4:], False)
    assert page(api, kind="image", limit=2, offset=6) == ([], False)


def test_other_kinds_are_paged_too(api, project, images):
    for name in ("bolt b", "bolt a", "old bolt"):
        api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": name})
    assert page(api, kind="label", limit=2) == (["bolt a", "bolt b"], True)
    assert page(api, kind="label", limit=2, offset=2) == (["old bolt"], False)


def test_what_makes_no_sense_is_refused(api, outsider, images):
    for query in ({"kind": "cat"}, {"offset": 5}, {"kind": "image", "offset": -1}, {"kind": "image", "offset": 10_001}):
        assert api.get(SEARCH, {"q": "bolt", **query}).status_code == 400
    assert page(client_of(outsider), kind="image") == ([], False)
