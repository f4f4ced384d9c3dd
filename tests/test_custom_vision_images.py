"""Images as programs for Custom Vision send, list, tag and delete them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.test import Client

from custom_vision.receiving import BatchReceiver
from datasets.models import Annotation, Image
from tests.custom_vision import DETECTION, Service, nameless, refused, service_of
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("addresses and answers of another service")]


@pytest.fixture
def service(owner) -> Service:
    return service_of(owner)


@pytest.fixture
def path(project) -> str:
    return f"projects/{project.pk}"


@pytest.fixture
def tag(service, path) -> str:
    return service.post(f"{path}/tags?name=Hemlock")["id"]


@pytest.fixture
def boxes(service) -> str:
    made = service.post(f"projects?name=Boxes&domainId={DETECTION}")
    return f"projects/{made['id']}"


def entry(number: int, **more) -> dict:
    return {"name": f"{number}.jpg", "contents": base64.b64encode(jpeg(number)).decode(), **more}


def file_of(image: dict, name: str = "originalImageUri") -> bytes:
    parts = urlsplit(image[name])
    assert parts.scheme and parts.netloc
    answer = Client().get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


class TestBytes:
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            nameless(jpeg(1)),
            nameless(jpeg(1), "whatever"),
            (jpeg(1), "application/octet-stream"),
            (jpeg(1), "image/jpeg"),
            (jpeg(1), ""),
        ],
    )
    def test_an_image_comes_as_it_was_sent(self, service, path, tag, body, kind):
        answer = service.ask("POST", f"{path}/images?tagIds={tag.upper()}", body, content_type=kind)
        assert answer.status_code == 200, answer.content
        made = answer.json()
        (row,) = made["images"]
        assert made["isBatchSuccessful"] is True and row["status"] == "OK" and row["sourceUrl"] == ""
        assert [one["tagName"] for one in row["image"]["tags"]] == ["Hemlock"] and "regions" not in row["image"]
        assert file_of(row["image"]) == jpeg(1)

    def test_a_file_with_a_name_and_several_parts(self, service, path):
        first, kind = nameless(jpeg(1))
        body = first.replace(b'name="imageData"', b'name="imageData"; filename="a.jpg"').removesuffix(b"--\r\n")
        body += b"\r\n" + nameless(jpeg(2))[0].partition(b"\r\n")[2]
        rows = service.ask("POST", f"{path}/images", body, content_type=kind).json()["images"]
        assert [row["sourceUrl"] for row in rows] == ["a.jpg", ""]
        assert [file_of(row["image"]) for row in rows] == [jpeg(1), jpeg(2)]

    def test_the_same_again_is_no_success_and_names_what_is_there(self, service, path):
        first = service.upload(f"{path}/images", jpeg(1))["images"][0]
        body, kind = nameless(jpeg(1))
        again = service.ask("POST", f"{path}/images", body, content_type=kind)
        assert again.status_code == 207 and again.json()["isBatchSuccessful"] is False
        (row,) = again.json()["images"]
        assert row["status"] == "OKDuplicate" and row["image"]["id"] == first["image"]["id"]

    def test_what_is_no_image(self, service, path):
        for content in (b"text", b"\xff\xd8\xff" + b"0" * 99):
            answer = service.ask("POST", f"{path}/images", content, content_type="application/octet-stream")
            assert (answer.status_code, answer.json()["images"][0]["status"]) == (207, "ErrorImageFormat")
        assert refused(service.ask("POST", f"{path}/images")) == (400, "BadRequestImageBatch")
        assert refused(service.ask("POST", f"{path}/images?tagIds=x", jpeg(1))) == (400, "BadRequestInvalidIds")

    def test_times_have_no_zone_and_addresses_need_no_key(self, service, path):
        image = service.upload(f"{path}/images", jpeg(1))["images"][0]["image"]
        assert datetime.fromisoformat(image["created"][:-1]).tzinfo is None and not image["created"].endswith("Z")
        for name in ("originalImageUri", "resizedImageUri", "thumbnailUri"):
            assert file_of(image, name)

    def test_an_artifact_is_named_by_the_path_of_an_address(self, service, path, boxes):
        image = service.upload(f"{path}/images", jpeg(1))["images"][0]["image"]
        place = urlsplit(image["originalImageUri"]).path
        answer = service.ask("GET", f"{path}/artifacts?path={place}")
        assert b"".join(answer.streaming_content) == jpeg(1)
        assert refused(service.ask("GET", f"{boxes}/artifacts?path={place}")) == (400, "BadRequestInvalidArtifactUri")
        assert refused(service.ask("GET", f"{path}/artifacts?path=x/y")) == (400, "BadRequestInvalidArtifactUri")


class TestBatches:
    def test_every_entry_has_its_own_status_in_order(self, service, path, tag):
        unknown = "01a2229f-34f1-76c1-8605-188f2a3202c9"
        other = service.post(f"{path}/tags?name=b")["id"]
        images = [
            entry(1), entry(2, tagIds=[]), entry(1), {"name": "3.jpg", "contents": "bm8gaW1hZ2U="}, {"name": "4"},
            entry(5, tagIds=[unknown]), entry(6, tagIds=[other]), {"name": "7", "contents": "%%%"},
        ]  # fmt: skip
        answer = service.ask("POST", f"{path}/images/files", {"images": images, "tagIds": [tag]})
        made = answer.json()
        assert answer.status_code == 207 and made["isBatchSuccessful"] is False
        assert [row["status"] for row in made["images"]] == [
            "OK", "OK", "OKDuplicate", "ErrorImageFormat", "ErrorImageFormat", "ErrorInvalidTag",
            "ErrorTagLimitExceed", "ErrorImageFormat",
        ]  # fmt: skip
        assert [row["sourceUrl"] for row in made["images"]][:2] == ["1.jpg", "2.jpg"]
        # The tags of the batch come after its images.
        assert made["images"][1]["image"]["tags"][0]["tagId"] == tag
        assert made["images"][3]["image"] is None and Image.objects.count() == 2

    def test_names_in_any_case_and_text_as_any_program_escapes_it(self, service, path):
        text = base64.b64encode(jpeg(3)).decode()
        escaped = text.replace("/", "\\/").replace("+", "\\u002B").replace("=", "\\u003d")
        for content in (escaped, text.replace("+", "-").replace("/", "_"), text.rstrip("=")):
            Image.objects.all().delete()
            body = (
                '{ "Images" : [ {"Name":"a\\"b", "Contents" : "' + content + '" } ], "TagIds": null, "Metadata": {} }'
            )
            made = answered_json(service.ask("POST", f"{path}/images/files", body.encode()))
            assert made["images"][0]["status"] == "OK"
            assert file_of(made["images"][0]["image"]) == jpeg(3)

    def test_boxes_are_parts_of_the_image(self, service, boxes):
        tag = service.post(f"{boxes}/tags?name=fork")["id"]
        region = {"tagId": tag, "left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}
        far = {**region, "left": -0.1, "top": 0.9, "height": 0.5}
        made = service.post(f"{boxes}/images/files", {"images": [entry(1, regions=[region, far], tagIds=[tag])]})
        image = made["images"][0]["image"]
        assert [row["tagName"] for row in image["tags"]] == ["fork"] and len(image["regions"]) == 2
        for edge in ("left", "top", "width", "height"):
            assert image["regions"][0][edge] == pytest.approx(
                region[edge], abs=0.5 / min(image["width"], image["height"])
            )
        assert image["regions"][1]["left"] == 0
        assert Annotation.objects.filter(image=image["id"], confirmed=True).count() == 2

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "BadRequestImageBatch"),
            ({"images": []}, "BadRequestImageBatch"),
            ({"images": [{"name": "a", "regions": [{"left": 1}]}]}, "BadRequestImageRegions"),
            ({"images": [{"name": "a", "contents": "eA=="}] * 65}, "BadRequestExceededBatchSize"),
            ({"images": [{"name": "a"}] * 65}, "BadRequestExceededBatchSize"),
            ({"images": [{"name": "a", "tagIds": ["x"]}]}, "BadRequestInvalidIds"),
        ],
    )
    def test_what_is_no_batch(self, service, path, body, code):
        assert refused(service.ask("POST", f"{path}/images/files", body)) == (400, code)

    def test_broken_json(self, service, path):
        for body in (b'{"images": [{"contents": "', b'{"images": [', b"\xff"):
            assert refused(service.ask("POST", f"{path}/images/files", body)) == (400, "BadRequest")

    def test_however_it_is_cut_into_pieces(self, rf):
        contents = [bytes([number]) * number for number in range(40)]
        texts = [base64.b64encode(content).decode().replace("/", "\\/") for content in contents]
        rows = ", ".join(f'{{"name": "contents", "contents":"{text}", "x": ["contents"]}}' for text in texts)
        body = f'{{"images": [{rows}], "say": "\\\\"}}'.encode()
        for size in (1, 3, 7, 1000):
            receiver, request = BatchReceiver(), rf.post("/")
            for start in range(0, len(body), size):
                receiver.write(body[start : start + size])
            receiver.attach(request)
            batch = request.received
            found = [batch.content(row) for row in batch.data["images"]]
            read = [b"" if one.incoming is None else one.incoming.path.read_bytes() for one in found]
            assert read == contents and batch.data["say"] == "\\"
            assert batch.data["images"][0]["x"] == ["contents"]
            receiver.close()


def answered_json(answer) -> dict:
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


class TestLists:
    @pytest.fixture
    def images(self, service, path, tag) -> list[str]:
        rows = [entry(number, tagIds=[tag] if number < 3 else []) for number in range(5)]
        return [row["image"]["id"] for row in service.post(f"{path}/images/files", {"images": rows})["images"]]

    def test_which_and_in_which_order(self, service, path, tag, images):
        def ids(query: str) -> list[str]:
            return [row["id"] for row in service.get(f"{path}/images{query}")]

        assert ids("") == images[::-1] and ids("?orderBy=Oldest") == images
        assert ids("?take=2&skip=1") == images[::-1][1:3] and ids("?take=0") == []
        assert ids("?taggingStatus=Tagged") == images[:3][::-1] == ids("/tagged") == ids(f"/tagged?tagIds={tag}")
        assert ids("?taggingStatus=Untagged&orderBy=oldest") == images[3:] == ids("/untagged?orderBy=Oldest")
        assert ids(f"/id?imageIds={images[4]},{images[0].upper()},{images[0]}") == [images[4], images[0]]
        assert len(ids("?take=9999")) == 5
        for address, count in (
            ("count", 5),
            ("tagged/count", 3),
            ("untagged/count", 2),
            ("count?taggingStatus=tagged", 3),
        ):
            assert service.get(f"{path}/images/{address}") == count

    def test_a_list_says_what_is_on_each(self, service, path, images, django_assert_max_num_queries):
        with django_assert_max_num_queries(16):
            rows = service.get(f"{path}/images?orderBy=Oldest")
        assert ["tags" in row for row in rows] == [True] * 3 + [False] * 2

    def test_what_a_model_suggested_is_untagged(self, service, path, images):
        Annotation.objects.filter(image=images[0]).update(confirmed=False)
        assert service.get(f"{path}/images/tagged/count") == 2

    def test_deleting_the_first_page_is_seen_at_once(self, service, path, images):
        service.delete(f"{path}/images?imageIds={','.join(images[:2])}")
        assert service.get(f"{path}/images/count") == 3
        assert refused(service.ask("DELETE", f"{path}/images")) == (400, "BadRequestInvalidIds")
        service.delete(f"{path}/images?allImages=True&allIterations=true")
        assert service.get(f"{path}/images") == []

    def test_images_of_the_studio_are_there_and_the_other_way_round(self, service, api, dataset, path):
        from tests.conftest import upload

        (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
        assert [row["id"] for row in service.get(f"{path}/images")] == [image["id"]]
        made = service.upload(f"{path}/images", jpeg(2))["images"][0]["image"]
        assert {row["id"] for row in api.get("/api/v1/images/").json()["results"]} == {image["id"], made["id"]}


class TestTagsOfImages:
    def test_given_once_and_only_one(self, service, path, tag):
        image = service.upload(f"{path}/images", jpeg(1))["images"][0]["image"]["id"]
        other = service.post(f"{path}/tags?name=b")["id"]
        pair, second = {"imageId": image, "tagId": tag}, {"imageId": image, "tagId": other}
        assert service.post(f"{path}/images/tags", {"tags": [pair]}) == {
            "created": [pair],
            "duplicated": [],
            "exceeded": [],
        }
        answer = service.post(f"{path}/images/tags", {"tags": [pair, second]})
        assert answer == {"created": [], "duplicated": [pair], "exceeded": [second]}
        assert service.get(f"{path}/tags/{tag}")["imageCount"] == 1
        service.delete(f"{path}/images/tags?imageIds={image}&tagIds={other}")
        assert service.get(f"{path}/images/tagged/count") == 1
        service.delete(f"{path}/images/tags?imageIds={image}&tagIds={tag},{other}")
        assert service.get(f"{path}/images/untagged/count") == 1
        answer = service.ask("POST", f"{path}/images/tags", {"tags": [{**pair, "imageId": tag}]})
        assert refused(answer) == (400, "BadRequestImageTags")

    def test_a_tag_takes_its_boxes_along_and_leaves_the_image_open(self, service, boxes):
        tag = service.post(f"{boxes}/tags?name=fork")["id"]
        region = {"tagId": tag, "left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}
        made = service.post(f"{boxes}/images/files", {"images": [entry(n, regions=[region]) for n in (1, 2)]})
        first, second = (row["image"]["id"] for row in made["images"])
        service.delete(f"{boxes}/images/tags?imageIds={first}&tagIds={tag}")
        assert service.get(f"{boxes}/images/untagged/count") == 1
        # Otherwise it would be trained as an image that shows nothing.
        assert Image.objects.get(pk=first).reviewed is False
        service.delete(f"{boxes}/tags/{tag}")
        assert not Image.objects.filter(reviewed=True).exists() and Image.objects.filter(pk=second).exists()
