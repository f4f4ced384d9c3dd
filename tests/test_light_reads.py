"""What a gallery asks for by the dozen reads no more than it shows."""

from __future__ import annotations

import pytest

from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("reads of a gallery")]
API = "/api/v1"


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)], label="good")["created"]


def test_a_thumbnail_reads_its_image_alone(api, images, django_assert_num_queries):
    address = f"{API}/images/{images[0]['id']}/thumbnail/?size=256"
    assert api.get(address).status_code == 200
    with django_assert_num_queries(1):
        assert api.get(address).status_code == 200
    assert client_of(make_user("stranger")).get(address).status_code == 404


def test_a_page_from_any_place_finds_out_once_what_may_be_seen(api, project, images, django_assert_num_queries):
    place = f"{API}/images/?project={project.pk}&fields=grid&offset=1&page_size=2"
    with django_assert_num_queries(5):  # datasets, count, keys, rows, annotations
        page = api.get(place).json()
    assert (page["total"], page["start"]) == (4, 1)
    assert [row["id"] for row in page["results"]] == [images[2]["id"], images[1]["id"]]
    assert page["next"] and page["previous"]


def test_a_page_from_any_place_refuses_what_is_no_filter(api, project, images):
    for query, code in (("nonsense=1", "unknown_filter"), ("split=moon", "invalid_choice"), ("cursor=x", "invalid")):
        answer = api.get(f"{API}/images/?project={project.pk}&fields=grid&offset=0&{query}")
        assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == code, query


def test_a_stranger_sees_no_row_of_it(project, images):
    page = client_of(make_user("stranger")).get(f"{API}/images/?project={project.pk}&fields=grid&offset=0").json()
    assert (page["total"], page["results"]) == (0, [])
