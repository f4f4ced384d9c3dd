"""Names that are read in another order than they are written in, or that nobody sees, are names of nothing."""

from __future__ import annotations

import io
import zipfile

import pytest

from datasets.models import Label
from jobs import services as jobs
from tests.pictures import jpeg
from vision.formats.boxes import clean_label

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("names")]
API = "/api/v1"
DECEIVING = ["cat\u202egpj", "a\u2066b\u2069", "\u200b", "\u2060\u00a0\u200d"]
HONEST = ["कॢप्त", "می‌خواهم", "שלום", "👩‍🔧", "a b"]  # some need characters without width


@pytest.mark.parametrize("name", DECEIVING)
def test_they_are_refused(api, project, dataset, labels, name):
    label = f"{API}/projects/{project.pk}/labels/"
    for answer in (
        api.post(f"{API}/projects/", {"name": name}),
        api.patch(f"{API}/projects/{project.pk}/", {"name": name}),
        api.post(f"{API}/datasets/", {"project": str(project.pk), "name": name}),
        api.post(label, {"name": name}),
        api.patch(f"{label}{labels['good']['id']}/", {"name": name}),
    ):
        assert answer.status_code == 400, answer.content
        assert answer.json()["errors"][0]["attr"] == "name"


@pytest.mark.parametrize("name", HONEST)
def test_names_of_other_scripts_are_taken(api, project, name):
    assert api.post(f"{API}/projects/{project.pk}/labels/", {"name": name}).json()["name"] == name
    assert api.post(f"{API}/projects/", {"name": name}).status_code == 201
    assert clean_label(name) == name


def test_an_import_leaves_out_what_deceives(api, project, dataset):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("cat\u202egpj/1.jpg", jpeg(1))
        file.writestr("\u200b/2.jpg", jpeg(2))
    content.seek(0)
    content.name = "a.zip"
    job = api.post(f"{API}/datasets/{dataset['id']}/imports/", {"file": content}, format="multipart").json()["id"]
    jobs.run_job(job)
    answer = api.get(f"{API}/jobs/{job}/").json()
    assert answer["state"] == "succeeded" and answer["result"]["created"] >= 1
    assert [label.name for label in Label.objects.filter(project=project)] == ["catgpj"]
