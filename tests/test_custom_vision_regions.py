"""Boxes that are drawn one by one, and images that are named by their address."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from custom_vision import fetching
from datasets.models import Annotation, AnnotationChange, Image
from tests.custom_vision import DETECTION, Service, refused, service_of
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("addresses and answers of another service")]


@pytest.fixture
def service(owner) -> Service:
    return service_of(owner)


@pytest.fixture
def boxes(service) -> str:
    made = service.post(f"projects?name=Boxes&domainId={DETECTION}")
    return f"projects/{made['id']}"


class TestRegions:
    @pytest.fixture
    def tag(self, service, boxes) -> str:
        return service.post(f"{boxes}/tags?name=fork")["id"]

    @pytest.fixture
    def image(self, service, boxes) -> str:
        return service.upload(f"{boxes}/images", jpeg(1))["images"][0]["image"]["id"]

    def region(self, image: str, tag: str, left: float = 0.1) -> dict:
        return {"imageId": image, "tagId": tag, "left": left, "top": 0.2, "width": 0.3, "height": 0.4}

    def test_each_has_an_id_that_stays(self, service, boxes, tag, image):
        first = service.post(f"{boxes}/images/regions", {"regions": [self.region(image, tag)]})["created"][0]
        assert first["tagName"] is None and first["imageId"] == image and first["left"] == 0.1
        answer = service.post(f"{boxes}/images/regions", {"regions": [self.region(image, tag, x) for x in (0.1, 0.5)]})
        assert [row["regionId"] for row in answer["duplicated"]] == [first["regionId"]]
        second = answer["created"][0]["regionId"]
        read = service.get(f"{boxes}/images/id?imageIds={image}")[0]
        assert [row["regionId"] for row in read["regions"]] == [first["regionId"], second]
        assert [row["tagId"] for row in read["tags"]] == [tag]
        service.delete(f"{boxes}/images/regions?regionIds={first['regionId']}")
        read = service.get(f"{boxes}/images/id?imageIds={image}")[0]
        assert [row["regionId"] for row in read["regions"]] == [second]
        assert AnnotationChange.objects.filter(image=image).count() == 3

    def test_without_its_last_box_an_image_is_open_again(self, service, boxes, tag, image):
        made = service.post(f"{boxes}/images/regions", {"regions": [self.region(image, tag)]})["created"][0]
        assert Image.objects.get(pk=image).reviewed is True
        service.delete(f"{boxes}/images/regions?regionIds={made['regionId']},{uuid.uuid4()}")
        assert service.get(f"{boxes}/images/untagged/count") == 1
        # Otherwise it would be trained as an image that shows nothing.
        assert Image.objects.get(pk=image).reviewed is False

    def test_what_is_too_much_and_what_is_none(self, service, boxes, tag, image, project):
        far = {**self.region(image, tag), "left": 1.5}
        assert service.post(f"{boxes}/images/regions", {"regions": [far]})["exceeded"][0]["left"] == 1.5
        region = self.region(image, tag)
        for rows, code in (
            ([region] * 65, "BadRequestExceededBatchSize"),
            ([], "BadRequestImageRegions"),
            ([{**region, "left": "x"}], "BadRequestImageRegions"),
            ([{**region, "tagId": str(uuid.uuid4())}], "BadRequestImageRegions"),
            ([{**region, "imageId": str(uuid.uuid4())}], "BadRequestImageRegions"),
        ):
            assert refused(service.ask("POST", f"{boxes}/images/regions", {"regions": rows})) == (400, code)
        answer = service.ask("POST", f"projects/{project.pk}/images/regions", {"regions": [region]})
        assert refused(answer) == (400, "BadRequestImageRegions")
        assert not Annotation.objects.exists()

    def test_proposals_need_a_detector(self, service, boxes, image):
        answer = service.post(f"{boxes}/images/{image}/regionproposals")
        assert answer == {"projectId": boxes.removeprefix("projects/"), "imageId": image, "proposals": []}
        answer = service.ask("POST", f"{boxes}/images/{uuid.uuid4()}/regionproposals")
        assert refused(answer) == (404, "NotFoundImage")


class Elsewhere:
    """Another server, with images."""

    def __init__(self) -> None:
        answers = {
            "/1.jpg?sv=a%2Fb": (200, jpeg(1), {}),
            "/a%20b.jpg": (200, jpeg(2), {}),
            "/moved": (302, b"", {"Location": "/a%20b.jpg"}),
            "/inside": (302, b"", {"Location": "http://169.254.169.254/latest"}),
            "/round": (301, b"", {"Location": "/round"}),
            "/text": (200, b"no image", {}),
            "/large": (200, b"0" * 5000, {}),
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, content, headers = answers.get(self.path, (404, b"", {}))
                if "*/*" not in self.headers["Accept"]:  # as a studio answers: its files are of any type
                    status, content, headers = 406, b"", {}
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    yield server
    server.server.shutdown()


class TestAddresses:
    @pytest.fixture
    def allowed(self, settings, elsewhere) -> str:
        settings.FETCH_HOSTS = (elsewhere.url.removeprefix("http://"),)
        return elsewhere.url

    @pytest.fixture
    def path(self, project) -> str:
        return f"projects/{project.pk}"

    def test_each_is_fetched_or_says_that_it_cannot_be(self, service, path, allowed):
        ends = ["/1.jpg?sv=a%2Fb", "/a b.jpg", "/moved", "/none.jpg", "/inside", "/round", "/text"]
        body = {"Images": [{"Url": allowed + end} for end in ends]}
        answer = service.ask("POST", f"{path}/images/urls", body)
        rows = answer.json()["images"]
        assert answer.status_code == 207 and [row["sourceUrl"] for row in rows] == [allowed + end for end in ends]
        assert [row["status"] for row in rows] == [
            "OK", "OK", "OKDuplicate", "ErrorSource", "ErrorSource", "ErrorSource", "ErrorImageFormat",
        ]  # fmt: skip
        assert sorted(Image.objects.values_list("filename", flat=True)) == ["1.jpg", "a b.jpg"]

    def test_inside_addresses_are_never_asked(self, service, path, elsewhere, settings):
        urls = [f"{elsewhere.url}/1.jpg?sv=a%2Fb", "http://localhost/", "file:///etc/passwd", "http://[::1]/", "x", ""]
        answer = service.ask("POST", f"{path}/images/urls", {"images": [{"url": url} for url in urls]})
        assert {row["status"] for row in answer.json()["images"]} == {"ErrorSource"}
        settings.FETCH_IMAGES = False
        with pytest.raises(fetching.FetchFailed, match="no images by their address"):
            fetching.fetch("https://example.com/a.jpg")

    def test_a_file_that_is_too_large_is_left_where_it_is(self, allowed, settings):
        settings.MAX_IMAGE_BYTES = 4000
        with pytest.raises(fetching.FetchFailed, match="larger"):
            fetching.fetch(f"{allowed}/large")

    def test_an_address_of_the_studio_is_read_from_its_store(self, service, path, boxes, settings):
        image = service.upload(f"{path}/images", jpeg(5))["images"][0]["image"]
        entry = {"url": image["originalImageUri"], "tagIds": [], "regions": []}
        made = service.post(f"{boxes}/images/urls", {"images": [entry]})
        assert made["images"][0]["status"] == "OK" and made["images"][0]["image"]["id"] != image["id"]
        assert Image.objects.values("blob").distinct().count() == 1
        forged = {"url": image["originalImageUri"][:-3] + "000"}
        answer = service.ask("POST", f"{boxes}/images/urls", {"images": [forged]})
        assert answer.json()["images"][0]["status"] == "ErrorSource"

    @pytest.mark.parametrize(("version", "status"), [("v3.0", 200), ("v3.2", 200), ("v3.3", 207)])
    def test_old_programs_take_no_207(self, service, path, version, status):
        answer = service.ask(
            "POST", f"{path}/images/urls", {"images": [{"url": "x"}]}, base=f"//customvision/{version}/Training/"
        )
        assert answer.status_code == status and answer.json()["isBatchSuccessful"] is False

    def test_an_empty_batch(self, service, path):
        answer = service.ask("POST", f"{path}/images/urls", {"images": []})
        assert (
            refused(answer) == (400, "BadRequestImageBatch") and answer.json()["message"] == "No image urls provided."
        )

    def test_a_prediction_by_address(self, service, owner, classifier, allowed):
        from tests.custom_vision import predictor_of, trained

        run = trained(classifier, owner)
        path = f"projects/{run.project_id}"
        service.post(f"{path}/iterations/{run.pk}/publish?publishName=m&predictionId=x")
        for end in ("url", "url/nostore"):
            address = f"{run.project_id}/classify/iterations/m/{end}"
            answer = predictor_of(owner).post(address, {"Url": f"{allowed}/moved"})
            assert len(answer["predictions"]) == 2
        assert len(service.post(f"{path}/quicktest/url", {"url": f"{allowed}/moved"})["predictions"]) == 2
        answer = service.ask("POST", f"{path}/quicktest/url", {"url": f"{allowed}/none"})
        assert refused(answer) == (400, "BadRequestImageUrl") and "404" in answer.json()["message"]


def test_base64_is_not_an_address(service, project):
    content = base64.b64encode(jpeg(1)).decode()
    answer = service.ask("POST", f"projects/{project.pk}/images/urls", {"images": [{"url": content}]})
    assert answer.json()["images"][0]["status"] == "ErrorSource"


class TestCopies:
    def test_a_project_is_copied_by_its_token(self, service, boxes):
        tag = service.post(f"{boxes}/tags?name=fork&description=d")["id"]
        region = {"tagId": tag, "left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}
        rows = [
            {"name": f"{n}.jpg", "contents": base64.b64encode(jpeg(n)).decode(), "regions": [region]} for n in (1, 2)
        ]
        first = service.post(f"{boxes}/images/files", {"images": rows, "metadata": {"line": "3"}})["images"][0]["image"]
        exported = service.get(f"{boxes}/export")
        assert (exported["imageCount"], exported["tagCount"], exported["regionCount"]) == (2, 1, 2)
        copy = service.post(f"projects/import?token={exported['token']}")
        assert copy["name"] == "Boxes (1)" and copy["settings"]["domainId"] == DETECTION
        path = f"projects/{copy['id']}"
        (made,) = service.get(f"{path}/tags")
        assert (made["name"], made["description"], made["imageCount"]) == ("fork", "d", 2) and made["id"] != tag
        image = service.get(f"{path}/images?orderBy=Oldest")[0]
        edges = ("left", "top", "width", "height")
        assert [image["regions"][0][edge] for edge in edges] == [first["regions"][0][edge] for edge in edges]
        assert image["metadata"] == {"line": "3"} and service.get(f"{path}/iterations") == []

    def test_tokens_of_others_are_none(self, service, boxes, outsider):
        token = service.get(f"{boxes}/export")["token"]
        for asking, text in ((service, "x"), (service, ""), (service_of(outsider), token)):
            answer = asking.ask("POST", f"projects/import?token={text}")
            assert refused(answer) == (400, "BadRequestInvalidImportToken")
