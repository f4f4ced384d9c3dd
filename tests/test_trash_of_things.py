"""Datasets, videos, models and projects lie in the trash, and come back as they were."""

from __future__ import annotations

import pytest

from datasets.models import Dataset, Image, Snapshot, SnapshotImage, Video
from edge.models import DeviceGroup
from inference.models import Model
from mlstudio.counts import correct_counts
from projects.models import Invitation, Membership, Project, Role, TrashEntry
from projects.removal import remove_projects
from projects.trash.services import remove_expired
from storage.signing import sign_path
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.test_dataset_removal import train_on
from tests.test_registry import make_model
from tests.test_trash import delete, trash
from tests.test_undo import state, undo

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("things in the trash")]
API = "/api/v1"


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)], label="good", split="train")["created"]


@pytest.fixture
def snapshots(api, dataset, images) -> list[dict]:
    path = f"{API}/datasets/{dataset['id']}/snapshots/"
    return [api.post(path, {"seed": seed}).json() for seed in range(2)]


@pytest.fixture
def video(dataset, images) -> Video:
    """With two of the images cut from it."""
    row = Video.objects.create(
        dataset_id=dataset["id"],
        blob=Image.objects.first().blob,
        filename="v.mp4",
        container="mp4",
        size=9,
        width=1,
        height=1,
        fps=1,
        frame_count=2,
        duration=1,
    )
    for index, image in enumerate(images[:2]):
        Image.objects.filter(pk=image["id"]).update(video=row, frame_index=index, frame_time=index)
    return row


def there_and_back(api, project, url: str, action: str) -> None:
    """Delete, undo, delete again by undoing that, restore."""
    before = state(project)
    answer = api.delete(url)
    assert answer.status_code == 204 and correct_counts() == 0
    after = state(project)
    undone = undo(api, answer["X-Change"])
    assert undone["details"]["action"] == action and state(project) == before and correct_counts() == 0
    undo(api, undone["id"])
    assert state(project) == after and correct_counts() == 0
    (row,) = api.get(f"{API}/trash/").json()["results"]
    assert api.post(f"{API}/trash/{row['id']}/restore/").status_code == 200
    assert state(project) == before and correct_counts() == 0


class TestDatasets:
    def test_there_and_back(self, api, project, dataset, images, snapshots, video):
        frozen = SnapshotImage.objects.count()
        there_and_back(api, project, f"{API}/datasets/{dataset['id']}/", "delete_dataset")
        assert [row["has_images"] for row in api.get(f"{API}/snapshots/").json()["results"]] == [True, True]
        assert SnapshotImage.objects.count() == frozen
        assert api.get(f"{API}/videos/").json()["results"][0]["id"] == str(video.pk)

    def test_nobody_finds_it(self, api, client, project, dataset, images, snapshots, video):
        signed = [sign_path(f"{API}/images/{images[0]['id']}/file/"), sign_path(f"{API}/videos/{video.pk}/file/")]
        assert api.delete(f"{API}/datasets/{dataset['id']}/").status_code == 204
        for path in ("datasets", "images", "videos", "snapshots"):
            assert api.get(f"{API}/{path}/?project={project.pk}").json()["results"] == [], path
        assert api.get(f"{API}/images/?project={project.pk}&offset=0&q=jpg").json()["results"] == []
        assert api.get(f"{API}/images/facets/?project={project.pk}").json()["total"] == 0
        for path in (f"datasets/{dataset['id']}", f"images/{images[0]['id']}", f"videos/{video.pk}"):
            assert api.get(f"{API}/{path}/").status_code == 404
        assert [client.get(url).status_code for url in signed] == [404, 404]
        assert api.get(f"{API}/search/?q=photos").json()["groups"] == []
        (row,) = trash(api, project)
        assert (row["kind"], row["name"], row["count"]) == ("dataset", "photos", 4)
        assert api.get(row["thumbnail"]).status_code == 200

    def test_what_was_trained_on_is_a_record_until_it_is_back(self, api, project, dataset, owner, snapshots):
        train_on(snapshots[0], project, owner)
        change = api.delete(f"{API}/datasets/{dataset['id']}/")["X-Change"]
        (record,) = api.get(f"{API}/snapshots/").json()["results"]
        assert (record["dataset"], record["dataset_name"], record["has_images"]) == (None, "photos", False)
        undo(api, change)
        rows = api.get(f"{API}/snapshots/").json()["results"]
        assert {(row["dataset"], row["has_images"]) for row in rows} == {(dataset["id"], True)} and len(rows) == 2

    def test_what_pointed_to_it_points_again(self, api, project, dataset):
        group = DeviceGroup.objects.create(project=project, name="g", feedback_dataset_id=dataset["id"])
        url = f"{API}/datasets/{dataset['id']}/"
        assert api.delete(url).status_code == 409
        change = api.delete(f"{url}?force=true")["X-Change"]
        assert DeviceGroup.objects.get(pk=group.pk).feedback_dataset is None
        undo(api, change)
        assert str(DeviceGroup.objects.get(pk=group.pk).feedback_dataset_id) == dataset["id"]

    def test_its_images_in_the_trash_wait_for_it(self, api, project, dataset, images):
        first = delete(api, images[:2])
        second = api.delete(f"{API}/datasets/{dataset['id']}/")["X-Change"]
        assert "restore that first" in undo(api, first, 409)["changed"][0]["reason"]
        undo(api, second)
        undo(api, first)
        assert Image.objects.filter(dataset=dataset["id"]).count() == 4 and correct_counts() == 0

    @pytest.mark.parametrize("how", ["merge", "unlabel", "lost"])
    def test_what_changed_of_its_labels_meanwhile_hides_no_image(self, api, project, dataset, images, labels, how):
        """The list of a project with several datasets goes by what each image says of itself."""
        api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "other"})
        change = api.delete(f"{API}/datasets/{dataset['id']}/")["X-Change"]
        good = f"{API}/projects/{project.pk}/labels/{labels['good']['id']}/"
        if how == "merge":
            assert api.post(f"{good}merge/", {"into": labels["bad"]["id"]}).status_code == 200
        else:
            assert api.delete(f"{good}?images=unlabel").status_code == 204
        assert api.get(f"{API}/images/?project={project.pk}").json()["results"] == []
        undo(api, change)
        if how == "lost":  # as an earlier version left them: the hourly count finds them
            Image.objects.update(project_key=Project.objects.get(trash_of=project).pk)
            assert correct_counts() == 4
        listed = api.get(f"{API}/images/?project={project.pk}").json()["results"]
        assert {one["id"] for one in listed} == {one["id"] for one in images} and correct_counts() == 0
        body = {"filter": {"project": str(project.pk)}, "action": "split", "split": "test"}
        assert api.post(f"{API}/images/bulk/", body, format="json").json()["changed"] == 4

    def test_for_good(self, api, project, dataset, owner, images, snapshots):
        train_on(snapshots[0], project, owner)
        delete(api, images[:2])
        change = api.delete(f"{API}/datasets/{dataset['id']}/")["X-Change"]
        assert api.post(f"{API}/trash/empty/", {"project": str(project.pk)}, format="json").json()["removed"] >= 1
        remove_projects()
        assert not Dataset.objects.exists() and not Image.objects.exists() and not SnapshotImage.objects.exists()
        assert Snapshot.objects.get().has_images is False and correct_counts() == 0
        assert "for good" in undo(api, change, 409)["changed"][0]["reason"]

    def test_a_snapshot_that_work_refers_to_meanwhile_stays_as_a_record(self, api, project, dataset, owner, snapshots):
        api.delete(f"{API}/datasets/{dataset['id']}/")
        run = train_on(snapshots[0], project, owner)
        api.post(f"{API}/trash/empty/", {"project": str(project.pk)}, format="json")
        remove_projects()
        kept = Snapshot.objects.get()
        assert (kept.project_id, kept.has_images, kept.dataset_name) == (project.pk, False, "photos")
        assert str(run.snapshot_id) == str(kept.pk) and not SnapshotImage.objects.exists()


class TestVideos:
    @pytest.mark.parametrize("frames", ["keep", "delete"])
    def test_there_and_back(self, api, project, images, video, frames):
        def frames_of() -> set:
            return set(
                Image.objects.filter(dataset__project=project, video=video).values_list("filename", "frame_time")
            )

        before = frames_of()
        url = f"{API}/videos/{video.pk}/?frames={frames}"
        answer = api.delete(url)
        assert answer.status_code == 204 and api.get(url).status_code == 404 and frames_of() == set()
        assert api.get(f"{API}/images/{images[0]['id']}/").status_code == (200 if frames == "keep" else 404)
        (row,) = trash(api, project)
        assert (row["kind"], row["name"], row["count"]) == ("video", "v.mp4", 0 if frames == "keep" else 2)
        undone = undo(api, answer["X-Change"])
        assert api.get(url).status_code == 200 and frames_of() == before and correct_counts() == 0
        redone = undo(api, undone["id"])
        assert frames_of() == set() and trash(api, project)[0]["count"] == row["count"]
        undo(api, redone["id"])
        assert frames_of() == before and trash(api, project) == [] and correct_counts() == 0

    def test_for_good(self, api, project, video):
        api.delete(f"{API}/videos/{video.pk}/?frames=delete")
        assert api.delete(f"{API}/trash/{trash(api, project)[0]['id']}/").status_code == 204
        remove_projects()
        assert not Video.objects.exists() and Image.objects.count() == 2 and correct_counts() == 0

    def test_the_same_file_again(self, api, dataset, video):
        change = api.delete(f"{API}/videos/{video.pk}/?frames=keep")["X-Change"]
        Video.objects.filter(pk=video.pk).get()
        twin = Video.objects.get(pk=video.pk)
        twin.pk, twin.dataset_id, twin.filename = None, dataset["id"], "again.mp4"
        twin.save(force_insert=True)
        assert "'again.mp4'" in undo(api, change, 409)["changed"][0]["reason"]

    def test_who_may(self, video, viewer, outsider, client):
        for who, status in ((client, 401), (client_of(outsider), 404), (client_of(viewer), 403)):
            assert who.delete(f"{API}/videos/{video.pk}/?frames=keep").status_code == status


class TestModels:
    def test_there_and_back(self, api, project, owner, snapshots, tmp_path):
        base = make_model(project, owner, tmp_path, "base", snapshot=Snapshot.objects.get(pk=snapshots[0]["id"]))
        other = make_model(project, owner, tmp_path, "other")
        Model.objects.filter(pk=other.pk).update(base_model=base)
        url = f"{API}/models/{base.pk}/"
        told = api.get(url).json()
        there_and_back(api, project, url, "delete_model")
        assert api.get(url).json() == told and Model.objects.get(pk=other.pk).base_model_id == base.pk

    def test_who_may_publish_it_may_take_that_back(self, api, project, owner, editor, tmp_path):
        model = make_model(project, owner, tmp_path, "m")
        url = f"{API}/models/{model.pk}/"
        change = api.patch(url, {"visibility": "public"})["X-Change"]
        undo(client_of(editor), change, 403)
        undo(api, change)
        assert api.get(url).json()["visibility"] == "private"
        undo(client_of(editor), api.patch(url, {"notes": "n"})["X-Change"])

    def test_nobody_finds_it_and_its_number_is_not_given_again(self, api, project, owner, tmp_path):
        model = make_model(project, owner, tmp_path, "m")
        Model.objects.filter(pk=model.pk).update(visibility="public")
        assert api.delete(f"{API}/models/{model.pk}/").status_code == 204
        assert api.get(f"{API}/models/").json()["results"] == []
        assert api.get(f"{API}/models/{model.pk}/").status_code == 404
        assert make_model(project, owner, tmp_path, "n").version == 2
        undo(api, TrashEntry.objects.get().change_id)
        assert len(api.get(f"{API}/models/").json()["results"]) == 2 and correct_counts() == 0

    def test_for_good(self, api, project, owner, tmp_path, settings):
        model = make_model(project, owner, tmp_path, "m")
        api.delete(f"{API}/models/{model.pk}/")
        settings.TRASH_DAYS = -1
        assert remove_expired() == 1
        remove_projects()
        assert not Model.objects.exists() and correct_counts() == 0


class TestProjects:
    def test_there_and_back(self, api, project, dataset, images, snapshots, viewer):
        Invitation.objects.create(project=project, username="x", name_key="x", expires_at=project.created_at)
        members = set(Membership.objects.values_list("user", "role"))
        there_and_back(api, project, f"{API}/projects/{project.pk}/", "delete_project")
        assert set(Membership.objects.values_list("user", "role")) == members and Invitation.objects.count() == 1
        assert api.get(f"{API}/projects/").json()["results"][0]["role"] == "owner"

    def test_nobody_finds_it(self, api, client, project, dataset, images, viewer, editor, owner, tmp_path):
        signed = sign_path(f"{API}/images/{images[0]['id']}/file/")
        model = make_model(project, owner, tmp_path, "m")
        Model.objects.filter(pk=model.pk).update(visibility="public")
        change = api.delete(f"{API}/projects/{project.pk}/")["X-Change"]
        for user in (api, client_of(viewer), client_of(editor)):
            for path in ("projects", "datasets", "images", "models", "changes"):
                rows = user.get(f"{API}/{path}/").json()["results"]
                assert rows == [] or (path == "changes" and user is api), path
            assert user.get(f"{API}/projects/{project.pk}/").status_code == 404
        assert client.get(signed).status_code == 404
        assert client_of(editor).get(f"{API}/trash/").json()["results"] == []
        assert client_of(editor).post(f"{API}/changes/{change}/undo/").status_code == 404
        (row,) = api.get(f"{API}/trash/").json()["results"]
        assert (row["kind"], row["name"], row["count"]) == ("project", "Screws", 4)

    def test_undoing_a_restored_one_is_for_owners(self, api, project, editor):
        change = api.delete(f"{API}/projects/{project.pk}/")["X-Change"]
        restored = undo(api, change)["id"]
        undo(client_of(editor), restored, 403)
        again = undo(api, restored)["id"]
        assert Project.objects.get(pk=project.pk).trashed_since is not None
        second = undo(api, again)
        assert second["details"] == {"action": "delete_project"}
        undo(client_of(editor), second["id"], 403)
        renamed = api.patch(f"{API}/projects/{project.pk}/", {"name": "Nails"})["X-Change"]
        undo(client_of(editor), renamed)

    def test_for_good(self, api, project, dataset, images):
        delete(api, images[:2])
        api.delete(f"{API}/projects/{project.pk}/")
        assert api.post(f"{API}/trash/empty/", {}, format="json").json() == {"removed": 1}
        remove_projects()
        assert not Project.objects.exists() and not Image.objects.exists() and not TrashEntry.objects.exists()

    def test_as_many_as_are_allowed(self, api, project, settings):
        settings.MAX_PROJECTS = 1
        change = api.delete(f"{API}/projects/{project.pk}/")["X-Change"]
        assert api.post(f"{API}/projects/", {"name": "other"}).status_code == 201
        assert undo(api, change, 403)["errors"][0]["code"] == "too_many_projects"

    def test_when_its_owner_is_gone_another_owner_restores_it(self, api, project, owner, editor):
        Membership.objects.filter(user=editor).update(role=Role.OWNER)
        api.delete(f"{API}/projects/{project.pk}/")
        owner.delete()
        (row,) = client_of(editor).get(f"{API}/trash/").json()["results"]
        assert client_of(editor).post(f"{API}/trash/{row['id']}/restore/").status_code == 200
        assert list(Membership.objects.values_list("user", "role")) == [(editor.pk, "owner")]

    def test_with_the_account_of_its_only_owner_it_is_removed(self, api, project, images):
        api.delete(f"{API}/projects/{project.pk}/")
        answer = api.delete(f"{API}/users/me/", {"password": "a long pass phrase"})
        assert answer.status_code == 204, answer.content
        assert not Project.objects.exists() and not Image.objects.exists()
