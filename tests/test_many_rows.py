"""Rows inserted and deleted in masses are as if Django had done it one by one."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.forms.models import model_to_dict

from datasets.models import Annotation, Image
from inference.models import LabelIssue, Model
from projects.changes.models import Change
from storage.deleting import delete_at_once
from storage.inserting import insert_instances
from storage.models import Blob
from tests.conftest import upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


def blob(number: int, **fields) -> Blob:
    return Blob(sha256=f"{number:064x}", size=number, **fields)


def labelled(api, dataset: dict, count: int) -> None:
    api.post(f"/api/v1/projects/{dataset['project']}/labels/", {"name": "good"}, format="json")
    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(count)], label="good")


def as_dict(row) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_inserted_rows_are_what_was_given():
    blobs = [blob(1, backend="local", remote_id="x"), blob(2, problem='it\'s 100 % "quoted"')]
    insert_instances(blobs)
    assert [as_dict(Blob.objects.get(pk=one.pk)) for one in blobs] == [as_dict(one) for one in blobs]
    assert all(one.created_at is not None for one in blobs)
    insert_instances([])


def test_what_is_there_already_stays_only_when_that_is_asked_for():
    insert_instances([blob(1, problem="first")])
    insert_instances([blob(1, problem="second"), blob(2)], "ON CONFLICT DO NOTHING")
    assert list(Blob.objects.order_by("size").values_list("size", "problem")) == [(1, "first"), (2, "")]
    with pytest.raises(IntegrityError):
        insert_instances([blob(2)])


def test_rows_go_with_what_is_below_them(api, dataset, project):
    labelled(api, dataset, 4)
    model = Model.objects.create(
        project=project,
        name="m",
        version=1,
        task="classification",
        class_names=["good"],
        architecture="x",
        input_height=32,
        input_width=32,
        parameters=1,
    )
    annotations = list(Annotation.objects.order_by("id"))
    for rank, one in enumerate(annotations, start=1):
        LabelIssue.objects.create(
            model=model,
            dataset=one.image.dataset,
            image=one.image,
            annotation=one,
            rank=rank,
            kind="label",
            quality=0.1,
            is_issue=True,
        )
    before = [model_to_dict(image) for image in Image.objects.order_by("id")]
    delete_at_once(Annotation.objects.filter(pk__in=[one.pk for one in annotations[:3]]))
    assert list(Annotation.objects.all()) == annotations[3:]
    assert list(LabelIssue.objects.values_list("annotation", flat=True)) == [annotations[3].pk]
    assert [model_to_dict(image) for image in Image.objects.order_by("id")] == before


def test_what_only_pointed_to_them_stays(dataset):
    first = Change.objects.create(project_id=dataset["project"], action="label")
    second = Change.objects.create(project_id=dataset["project"], action="undo", undo_of=first)
    delete_at_once(Change.objects.filter(pk=first.pk))
    second.refresh_from_db()
    assert second.undo_of is None
