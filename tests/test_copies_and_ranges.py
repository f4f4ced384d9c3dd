"""Copies of files and their addresses: damage, stores in the middle of a removal, ranges, signatures, sources."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.models import Job, JobFile
from storage import maintenance, replication, services
from storage.errors import BlobMissing
from storage.models import Blob, BlobState, Removal, Upload
from storage.resumable import path_of
from storage.signing import is_signed, sign_for, sign_path, signed_for
from storage.sources import Source, SourceRefused, list_folder, parse_source
from tests.test_resumable import TUS, begin, code_of, send
from tests.test_storage import stores  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("files, ranges and signatures")]
SHARED = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


# Damage


@pytest.fixture
def blob(stores) -> Blob:  # noqa: F811
    """A file in the cache and in the store."""
    kept = services.keep_bytes(b"content" * 100, "text/plain")
    assert replication.replicate_pending() == 1
    kept.refresh_from_db()
    return kept


def stored(blob: Blob, stores):  # noqa: F811
    return next(path for path in (stores / "store").rglob("*") if path.is_file() and blob.sha256 in path.name)


def cached(blob: Blob):
    return services.local_cache().path(blob.sha256)


def test_a_damaged_copy_of_the_store_is_not_served_and_has_a_code(blob, stores):  # noqa: F811
    path = stored(blob, stores)
    path.chmod(0o600)
    path.write_bytes(b"CONTENT" * 100)
    cached(blob).unlink()
    with pytest.raises(BlobMissing) as caught:
        services.path_of(blob)
    assert (caught.value.code, caught.value.status) == ("file_damaged", 503)
    assert not cached(blob).exists()


def test_a_file_that_comes_back_to_the_store_is_served_again(blob, stores):  # noqa: F811
    path = stored(blob, stores)
    path.chmod(0o600)
    path.write_bytes(b"x")
    cached(blob).unlink()
    with pytest.raises(BlobMissing):
        services.path_of(blob)
    path.write_bytes(b"content" * 100)
    assert services.path_of(blob).read_bytes() == b"content" * 100


def test_the_only_copy_is_not_put_into_the_store_when_it_was_cut(stores):  # noqa: F811
    kept = services.keep_bytes(b"content" * 100, "text/plain")
    cached(kept).chmod(0o600)
    cached(kept).write_bytes(b"cont")
    assert replication.replicate_pending() == 0
    kept.refresh_from_db()
    assert kept.state == BlobState.CACHED and kept.attempts == 1 and "damaged" in kept.problem
    with pytest.raises(BlobMissing) as caught:
        replication.replicate_one(kept)
    assert caught.value.code == "file_damaged"


def test_what_failed_waits_longer_each_time(stores):  # noqa: F811
    kept = services.keep_bytes(b"content", "text/plain")
    cached(kept).unlink()
    waits = []
    for _ in range(3):
        Blob.objects.update(retry_at=None)
        assert replication.replicate_pending() == 0
        waits.append((Blob.objects.get().retry_at - timezone.now()).total_seconds())
        assert replication.replicate_pending() == 0  # it is not due
    assert waits[0] * 1.2 < waits[1] and waits[1] * 1.2 < waits[2]
    assert Blob.objects.get().attempts == 3


def test_a_file_on_its_way_out_of_the_store_is_not_moved_into_it(blob, stores, settings):  # noqa: F811
    Blob.objects.filter(pk=blob.pk).update(backend="fastdfs", remote_id="group1/M00/00/00/x")
    blob.refresh_from_db()
    Removal.objects.create(
        sha256=blob.sha256, backend="local", remote_id="x", claimed_until=timezone.now() + timedelta(hours=1)
    )
    moved, problems = maintenance.migrate(keep_source=True, on_progress=lambda done, total: None)
    assert moved == 0 and [problem.is_lost for problem in problems] == [True]
    assert "being removed" in problems[0].detail
    blob.refresh_from_db()
    assert (blob.backend, blob.remote_id) == ("fastdfs", "group1/M00/00/00/x")


# Ranges

CONTENT = bytes(range(256)) * 3


@pytest.fixture
def file_address(api, project) -> str:
    job = Job.objects.create(project=project, kind="export")
    JobFile.objects.create(job=job, name="a.bin", blob=services.keep_bytes(CONTENT, "application/octet-stream"))
    return api.get(f"/api/v1/jobs/{job.pk}/").json()["id"]


def download(api, job: str, **headers):
    return api.get(f"/api/v1/jobs/{job}/files/a.bin/", **headers)


def body_of(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@SHARED
@given(st.integers(0, 800), st.integers(0, 800))
def test_any_range_is_that_part_of_the_file(api, file_address, first, last):
    answer = download(api, file_address, HTTP_RANGE=f"bytes={first}-{last}")
    if first >= len(CONTENT):
        assert answer.status_code == 416 and answer["Content-Range"] == f"bytes */{len(CONTENT)}"
        return
    if last < first:  # no range at all (RFC 9110, 14.1.1)
        assert (answer.status_code, body_of(answer)) == (200, CONTENT)
        return
    assert (answer.status_code, body_of(answer)) == (206, CONTENT[first : last + 1])
    end = min(last, len(CONTENT) - 1)
    assert answer["Content-Range"] == f"bytes {first}-{end}/{len(CONTENT)}"
    assert int(answer["Content-Length"]) == end - first + 1


@pytest.mark.parametrize(
    ("header", "part"), [("bytes=-5", CONTENT[-5:]), ("bytes=760-", CONTENT[760:]), ("bytes=-99999", CONTENT)]
)
def test_a_range_may_lack_its_beginning_or_its_end(api, file_address, header, part):
    answer = download(api, file_address, HTTP_RANGE=header)
    assert (answer.status_code, body_of(answer)) == (206, part)
    size = len(CONTENT)
    assert answer["Content-Range"] == f"bytes {size - len(part)}-{size - 1}/{size}"


@pytest.mark.parametrize(
    "header", ["bytes", "bytes=", "bytes=a-b", "lines=0-1", "bytes=0-1,3-4", "bytes=--1", "bytes=²-3"]
)
def test_a_range_that_is_not_understood_is_the_whole_file(api, file_address, header):
    answer = download(api, file_address, HTTP_RANGE=header)
    assert (answer.status_code, body_of(answer)) == (200, CONTENT)


def test_a_file_that_has_not_changed_is_not_sent_again(api, file_address):
    etag = download(api, file_address)["ETag"]
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = download(api, file_address, HTTP_IF_NONE_MATCH=header)
        assert answer.status_code == 304 and not body_of(answer)
    assert download(api, file_address, HTTP_IF_NONE_MATCH='"other"').status_code == 200
    assert download(api, file_address, HTTP_RANGE="bytes=0-1", HTTP_IF_RANGE='"other"').status_code == 200
    assert download(api, file_address, HTTP_RANGE="bytes=0-1", HTTP_IF_RANGE=etag).status_code == 206


# Signatures


def request_for(address: str, method: str = "GET"):
    return RequestFactory().generic(method, address)


@given(
    st.text("abc/-_~", max_size=20),
    st.dictionaries(st.sampled_from(["a", "b", "member"]), st.text("01é&=", max_size=4), max_size=2),
)
def test_a_signed_address_opens_what_it_says_and_no_more(path, query):
    address = sign_path(f"/a{path}x", **query)
    assert is_signed(request_for(address)) and is_signed(request_for(address, "HEAD"))
    assert not is_signed(request_for(address, "POST"))
    plain, _, rest = address.partition("?")
    for changed in (
        f"{plain}y?{rest}",
        f"{address}&c=1",
        address.replace("expires=", "expires=1"),
        address[:-1],
        plain,
    ):
        assert not is_signed(request_for(changed))


@pytest.mark.parametrize("expires", ["", "-1", "1e12", "²", "9" * 13, "0"])
def test_an_end_that_is_no_moment_is_over(expires):
    signature = parse_qs(urlsplit(sign_path("/x")).query)["signature"][0]
    assert not is_signed(request_for(f"/x?expires={expires}&signature={signature}"))


def test_an_address_stays_the_same_for_a_while_and_lasts_long_enough(monkeypatch, settings):
    settings.SIGNED_URL_SECONDS = 100
    now, seen = 1_000_000, set()
    for moment in range(now, now + 50):
        monkeypatch.setattr("storage.signing.time.time", lambda moment=moment: moment)
        address = sign_path("/x")
        seen.add(address)
        left = int(parse_qs(urlsplit(address).query)["expires"][0]) - moment
        assert 100 <= left <= 150
    assert len(seen) <= 2


@pytest.mark.parametrize("member", ["", "x", "-1", "²", "9" * 19, "999999999"])
def test_an_address_for_somebody_who_is_nobody_opens_nothing(db, member):
    assert signed_for(request_for(sign_path("/x", member=member))) is None


def test_an_address_for_a_user_ends_with_the_account(owner):
    address = sign_for(owner, "/x", seconds=60)
    assert signed_for(request_for(address)) == owner
    owner.is_active = False
    owner.save()
    assert signed_for(request_for(address)) is None


# Sources


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("s3://open/a", None),
        ("s3://open/", None),
        ("s3://narrow/in/a.zip", None),
        ("s3://narrow/in/", None),
        ("s3://narrow/inside", "source_not_allowed"),
        ("s3://narrow/", "source_not_allowed"),
        ("s3://closed/a", "source_not_allowed"),
        ("s3://open", "bad_source"),
        ("s3://OPEN/a", "bad_source"),
        ("s3://op/a\n", "bad_source"),
        ("http://169.254.169.254/", "bad_source"),
        ("file:///etc/passwd", "bad_source"),
        ("fastdfs://group1/../x", "bad_source"),
        ("", "bad_source"),
    ],
)
def test_only_what_is_allowed_is_a_source(settings, url, code):
    settings.IMPORT_BUCKETS = "open, /narrow/in/"
    if code is None:
        assert parse_source(url).url == url
        return
    with pytest.raises(SourceRefused) as caught:
        parse_source(url)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("key", "is_folder", "folder"),
    [("", True, ""), ("a/b", True, "a/"), ("a/b/", True, "a/b/"), ("a/B.ZIP", False, "a/")],
)
def test_a_source_is_a_folder_unless_it_is_an_archive(key, is_folder, folder):
    source = Source("x", bucket="open", key=key)
    assert (source.is_folder, source.folder) == (is_folder, folder)


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("limit", ["MAX_ARCHIVE_ENTRIES", "MAX_ARCHIVE_BYTES"])
def test_a_folder_of_a_bucket_has_so_many_objects_and_bytes(monkeypatch, settings, limit, more):
    class Bucket:
        def listed(self, prefix: str, limit: int) -> list:
            return [(f"{number}.jpg", 10) for number in range(3)][:limit]

    monkeypatch.setattr("storage.sources.bucket_of", lambda source: Bucket())
    setattr(settings, limit, (3 if limit.endswith("ENTRIES") else 30) - more)
    if not more:
        assert len(list_folder(Source("s3://open/", bucket="open"))) == 3
        return
    with pytest.raises(SourceRefused) as caught:
        list_folder(Source("s3://open/", bucket="open"))
    assert caught.value.code == "source_too_large"


# Files in parts


@SHARED
@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(1, 200), max_size=6))
def test_a_file_in_any_parts_is_the_file(api, content, sizes):
    location = begin(api, len(content))["Location"]
    start = 0
    for size in [*sizes, len(content)]:
        part = content[start : start + size]
        if not part:
            break
        assert send(api, location, start, part)["Upload-Offset"] == str(start + len(part))
        start += len(part)
    upload = Upload.objects.get(pk=location.split("/")[-2])
    assert hashlib.sha256(path_of(upload).read_bytes()).digest() == hashlib.sha256(content).digest()
    assert api.delete(location, **TUS).status_code == 204


@pytest.mark.parametrize(("length", "status"), [("0", 201), ("1", 201), ("9" * 16, 400), ("1.5", 400), ("²", 400)])
def test_a_length_is_a_plain_number_of_bytes(api, length, status):
    assert begin(api, 0, HTTP_UPLOAD_LENGTH=length).status_code == status


def test_a_file_is_as_large_as_allowed_and_no_larger(api, settings):
    settings.MAX_UPLOAD_BYTES = 100
    assert begin(api, 100).status_code == 201
    answer = begin(api, 101)
    assert (answer.status_code, code_of(answer)) == (413, "file_too_large")


def test_a_part_whose_file_is_gone_is_a_conflict_and_no_fault(api):
    location = begin(api, 10)["Location"]
    path_of(Upload.objects.get()).unlink()
    answer = send(api, location, 0, b"x" * 10)
    assert (answer.status_code, code_of(answer)) == (409, "offset_conflict")
