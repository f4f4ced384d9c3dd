from __future__ import annotations

import pytest

from projects.models import Membership
from projects.services import add_member, create_project
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


def test_a_project_is_made_listed_changed_and_deleted(api, owner):
    made = api.post("/api/v1/projects/", {"name": "Screws", "task": "classification"})
    assert made.status_code == 201
    project = made.json()
    assert project["role"] == "owner" and project["image_count"] == 0
    address = f"/api/v1/projects/{project['id']}/"
    assert api.patch(address, {"name": "Bolts"}).json()["name"] == "Bolts"
    assert [one["name"] for one in api.get("/api/v1/projects/").json()["results"]] == ["Bolts"]
    assert api.patch(address, {"task": "detection"}).status_code == 400
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_roles_decide_what_a_member_may_do(project, viewer, editor, outsider):
    address = f"/api/v1/projects/{project.pk}/"
    for user, read, change, delete in ((viewer, 200, 403, 403), (editor, 200, 200, 403), (outsider, 404, 404, 404)):
        client = client_of(user)
        assert client.get(address).status_code == read
        assert client.patch(address, {"name": "x"}).status_code == change
        assert client.delete(address).status_code == delete


def test_members_are_added_promoted_and_removed_by_owners_only(api, project, editor, owner):
    # They work together already: strangers are invited instead (tests/test_invitations.py).
    add_member(project=create_project(user=owner, name="other"), user=make_user("new"), role="viewer")
    address = f"/api/v1/projects/{project.pk}/members/"
    assert client_of(editor).post(address, {"username": "new"}).status_code == 403
    member = api.post(address, {"username": "new", "role": "viewer"})
    assert member.status_code == 201
    again = api.post(address, {"username": "new"})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "already_member")
    assert api.post(address, {"username": "nobody"}).status_code == 202
    one = f"{address}{member.json()['id']}/"
    assert api.patch(one, {"role": "owner"}).json()["role"] == "owner"
    assert api.delete(one).status_code == 204


def test_the_last_owner_cannot_go(api, project, owner):
    membership = Membership.objects.get(project=project, user=owner)
    one = f"/api/v1/projects/{project.pk}/members/{membership.pk}/"
    for answer in (
        api.delete(one),
        api.patch(one, {"role": "viewer"}),
        api.post(f"/api/v1/projects/{project.pk}/leave/"),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "last_owner")


def test_a_viewer_may_leave(project, viewer):
    assert client_of(viewer).post(f"/api/v1/projects/{project.pk}/leave/").status_code == 204
    assert not Membership.objects.filter(user=viewer).exists()


def test_lists_page_by_cursor_in_both_directions(api):
    for number in range(7):
        api.post("/api/v1/projects/", {"name": f"p{number % 2}", "task": "classification"})
    for ordering in ("name", "-name", "id", "-id"):
        seen, address = [], f"/api/v1/projects/?page_size=3&ordering={ordering}"
        pages = []
        while address:
            page = api.get(address).json()
            pages.append([one["id"] for one in page["results"]])
            seen += [one["name"] for one in page["results"]]
            address, back = page["next"], page["previous"]
        assert sum(map(len, pages)) == 7 and len({pk for page in pages for pk in page}) == 7
        if "name" in ordering:
            assert seen == sorted(seen, reverse=ordering.startswith("-"))
        before = api.get(back).json()
        assert [one["id"] for one in before["results"]] == pages[-2]
        assert api.get(before["previous"]).json()["previous"] is None


@pytest.mark.parametrize(
    "query",
    ["page_size=0", "page_size=501", "page_size=x", "ordering=password", "cursor=%00", "cursor=abc", "cursor=e30"],
)
def test_bad_paging_is_a_client_error(api, query):
    assert api.get(f"/api/v1/projects/?{query}").status_code in (400, 404)


def test_lists_take_a_constant_number_of_queries(api, dataset, django_assert_max_num_queries):
    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(20)])
    with django_assert_max_num_queries(6):
        api.get("/api/v1/images/")
    with django_assert_max_num_queries(4):
        api.get("/api/v1/projects/")


def test_counts_follow_what_happens(api, project, dataset, labels):
    created = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)])["created"]
    project.refresh_from_db()
    assert (project.image_count, project.dataset_count, project.label_count) == (3, 1, 2)
    api.delete(f"/api/v1/images/{created[0]['id']}/")
    project.refresh_from_db()
    assert project.image_count == 2
    api.delete(f"/api/v1/datasets/{dataset['id']}/")
    project.refresh_from_db()
    assert (project.image_count, project.dataset_count) == (0, 0)


class TestLabels:
    def test_adding_renaming_recolouring_and_ordering(self, api, project, labels):
        base = f"/api/v1/projects/{project.pk}/labels/"
        assert [one["name"] for one in api.get(base).json()["results"]] == ["good", "bad"]
        assert labels["good"]["color"] != labels["bad"]["color"]
        one = f"{base}{labels['good']['id']}/"
        assert api.patch(one, {"name": "fine", "color": "#112233"}).json() | {"id": 0} == {
            "id": 0,
            "name": "fine",
            "color": "#112233",
            "order": 0,
            "description": "",
            "hotkey": None,
        }
        assert api.patch(one, {"color": "red"}).status_code == 400
        taken = api.patch(one, {"name": "bad"})
        assert (taken.status_code, taken.json()["errors"][0]["code"]) == (409, "label_exists")
        order = [labels["bad"]["id"], labels["good"]["id"]]
        assert [one["name"] for one in api.post(f"{base}reorder/", {"labels": order}).json()] == ["bad", "fine"]
        assert api.post(f"{base}reorder/", {"labels": order[:1]}).status_code == 400

    def test_renaming_renames_everywhere(self, api, project, dataset, labels):
        image = upload(api, dataset, [("a.jpg", jpeg(1))], label="good")["created"][0]
        api.patch(f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/", {"name": "fine"})
        assert api.get(f"/api/v1/images/{image['id']}/").json()["annotations"][0]["label"] == "fine"

    def test_merging_moves_the_images(self, api, project, dataset, labels):
        upload(api, dataset, [("a.jpg", jpeg(1))], label="good")
        upload(api, dataset, [("b.jpg", jpeg(2))], label="bad")
        base = f"/api/v1/projects/{project.pk}/labels/"
        kept = api.post(f"{base}{labels['bad']['id']}/merge/", {"into": labels["good"]["id"]})
        assert kept.json()["name"] == "good"
        assert len(api.get("/api/v1/images/?label=good").json()["results"]) == 2
        assert len(api.get(base).json()["results"]) == 1
        itself = api.post(f"{base}{labels['good']['id']}/merge/", {"into": labels["good"]["id"]})
        assert itself.status_code == 400

    @pytest.mark.parametrize(
        ("query", "status", "images", "labelled"),
        [("", 409, 1, 1), ("?images=unlabel", 204, 1, 0), ("?images=delete", 204, 0, 0), ("?images=move", 400, 1, 1)],
    )
    def test_deleting_asks_what_happens_to_the_images(
        self, api, project, dataset, labels, query, status, images, labelled
    ):
        upload(api, dataset, [("a.jpg", jpeg(1))], label="good")
        answer = api.delete(f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/{query}")
        assert answer.status_code == status
        assert len(api.get("/api/v1/images/").json()["results"]) == images
        assert len(api.get("/api/v1/images/?annotated=true").json()["results"]) == labelled

    def test_deleting_can_move_the_images_to_another_label(self, api, project, dataset, labels):
        upload(api, dataset, [("a.jpg", jpeg(1))], label="good")
        target = labels["bad"]["id"]
        base = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/"
        assert api.delete(f"{base}?images=move&move_to={target}").status_code == 204
        assert len(api.get("/api/v1/images/?label=bad").json()["results"]) == 1
