"""The report of duplicates and the splits see the same groups."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from datasets.models import Annotation, Dataset, Image, Label
from jobs import services as jobs
from storage.models import Blob
from tests.test_near_duplicates import SCENES, scene_hashes
from vision.imaging.near_duplicates import is_near

pytestmark = pytest.mark.django_db
COUNT = 600


@pytest.fixture
def scene(project, dataset, labels) -> list[Image]:
    """Images of one fixed camera, as rows without files."""
    hashes = scene_hashes(COUNT, **SCENES["light, shifts and scratches"])
    blobs = Blob.objects.bulk_create(
        Blob(sha256=hashlib.sha256(f"{n}".encode()).hexdigest(), size=1, content_type="image/jpeg", backend="local")
        for n in range(COUNT)
    )
    row = Dataset.objects.get(pk=dataset["id"])
    images = Image.objects.bulk_create(
        Image(
            dataset=row,
            blob=blob,
            filename=f"line-{n}.jpg",
            width=640,
            height=480,
            format="JPEG",
            size=1,
            phash=hashes[n],
            reviewed=True,
        )
        for n, blob in enumerate(blobs)
    )
    names = list(Label.objects.filter(project=project))
    Annotation.objects.bulk_create(Annotation(image=image, label=names[n % 2]) for n, image in enumerate(images))
    Dataset.objects.update(image_count=COUNT)
    return images


def report(api, dataset, **body) -> dict:
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/duplicates/", body)
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["state"] == "succeeded", job
    return job["result"]


@pytest.mark.parametrize("mode", ["strict", "exact"])
def test_what_a_split_has_kept_together_or_parted_is_no_leak(api, dataset, scene, mode):
    api.patch(f"/api/v1/datasets/{dataset['id']}/", {"near_duplicates": mode})
    snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    assert set(snapshot["counts"]["splits"]) == {"train", "validation", "test"}
    result = report(api, dataset)
    assert (result["leaks"], result["limit_bits"]) == (0, snapshot["counts"]["near_duplicates"]["limit_bits"])
    assert result["groups"] >= 1
    largest = max(len(group["images"]) for group in result["first_groups"])
    assert largest == snapshot["counts"]["near_duplicates"]["largest_group"]


def test_images_added_since_change_no_verdict_on_the_split(api, dataset, labels, scene):
    """Images that no split has must not join what the split has parted."""
    Annotation.objects.filter(image__in=[image.pk for image in scene[::3]]).delete()
    Image.objects.filter(pk__in=[image.pk for image in scene[::3]]).update(reviewed=False)
    api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {})
    assert report(api, dataset)["leaks"] == 0


def test_a_leak_is_found_all_the_same(api, dataset, scene):
    api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {})
    twin = Image.objects.get(pk=scene[0].pk)
    side = Dataset.objects.get().snapshots.get().images.get(image_key=twin.pk).split
    blob = Blob.objects.create(sha256="f" * 64, size=1, content_type="image/jpeg", backend="local")
    other = "test" if side == "train" else "train"
    twin.pk, twin.blob, twin.split, twin._state.adding = None, blob, other, True
    twin.save(force_insert=True)
    assert report(api, dataset)["leaks"] == 1


def test_another_limit_can_be_asked_for(api, dataset, scene):
    api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {})
    assert report(api, dataset, max_bits=0)["limit_bits"] == 0


def test_near_across_two_sets():
    generator = np.random.default_rng(1)
    ones = generator.integers(0, 1 << 63, (300, 4), dtype=np.uint64)
    others = generator.integers(0, 1 << 63, (200, 4), dtype=np.uint64)
    least = int(np.bitwise_count(ones[:, None] ^ others[None]).sum(axis=-1).min())
    assert is_near(ones, others, least) and not is_near(ones, others, least - 1)
    assert not is_near(ones[:0], others, 63) and not is_near(ones, others[:0], 63)
