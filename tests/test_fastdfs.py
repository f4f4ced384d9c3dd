"""The FastDFS client, against a server that speaks the protocol and misbehaves on request, and a real one."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdfs import (
    Busy,
    Client,
    ConnectionFailed,
    DataDamaged,
    FastDFSError,
    FileId,
    FileNotInStore,
    InvalidFileId,
    NoActiveStorage,
    NoSpace,
    ProtocolError,
    RequestRefused,
    signed_url,
)
from fastdfs.client import parse_address
from fastdfs.protocol import pack_metadata, parse_fetch, parse_store, unpack_metadata
from fastdfs.urls import token
from tests.fastdfs_server import FakeFastDFS

GOOD = "group1/M00/00/00/fwAAAmsF9QyADKZrAAAACw1KEYU876.txt"


@pytest.fixture
def house(tmp_path):
    house = FakeFastDFS(tmp_path / "store").start()
    yield house
    house.stop()


@pytest.fixture
def client(house):
    client = Client(house.trackers, connect_timeout=2, timeout=2)
    yield client
    client.close()


@pytest.fixture(params=["protocol server", "real server"])
def any_client(request, tmp_path):
    """Both; the real one is named by FASTDFS_TRACKERS (host:port, several with commas)."""
    if request.param == "protocol server":
        house = FakeFastDFS(tmp_path / "store").start()
        yield Client(house.trackers)
        house.stop()
        return
    trackers = os.environ.get("FASTDFS_TRACKERS", "")
    if not trackers:
        pytest.skip("FASTDFS_TRACKERS names no FastDFS")
    yield Client(trackers.split(","))


def put(client: Client, content: bytes, **options) -> FileId:
    return client.upload(io.BytesIO(content), size=len(content), **options)


# What a client is for


def test_up_and_down_and_away(any_client, tmp_path):
    content = os.urandom(700_000)
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    file_id = any_client.upload(path, extension="jpg")
    assert (file_id.size, str(file_id).endswith(".jpg")) == (len(content), True) and file_id.group == "group1"
    assert b"".join(any_client.download(file_id)) == content
    assert b"".join(any_client.download(file_id, 100_000, 300_000)) == content[100_000:400_000]
    assert b"".join(any_client.download(file_id, 699_990)) == content[-10:]
    assert b"".join(any_client.download(file_id, 699_990, 500)) == content[-10:]  # the rest is all there is
    assert list(any_client.download(file_id, 5, 0)) == []
    target = io.BytesIO()
    assert any_client.download_to(file_id, target) == len(content) and target.getvalue() == content
    info = any_client.info(file_id)
    assert (info.size, info.crc32) == (len(content), file_id.crc32) and abs(info.created - time.time()) < 100
    any_client.delete(file_id)
    for call in (
        any_client.info,
        any_client.delete,
        any_client.get_metadata,
        lambda one: list(any_client.download(one)),
    ):
        with pytest.raises(FileNotInStore) as error:
            call(file_id)
        assert (
            error.value.status == errno.ENOENT and error.value.server and str(error.value.command) in str(error.value)
        )


def test_metadata_appenders_and_empty_files(any_client):
    file_id = put(any_client, b"x", group="group1")
    assert any_client.get_metadata(file_id) == {}
    any_client.set_metadata(file_id, {"sha256": "ab", "größe": "1"})
    any_client.set_metadata(file_id, {"größe": "2"}, merge=True)
    assert any_client.get_metadata(file_id) == {"sha256": "ab", "größe": "2"}
    any_client.set_metadata(file_id, {"only": "this"})
    assert any_client.get_metadata(file_id) == {"only": "this"}
    growing = any_client.upload_appender(io.BytesIO(b"one"), size=3, extension="log")
    any_client.append(growing, io.BytesIO(b"two"), size=3)
    assert (growing.size, growing.crc32, b"".join(any_client.download(growing))) == (None, None, b"onetwo")
    empty = put(any_client, b"")
    assert empty.size == 0 and list(any_client.download(empty)) == []  # a storage would refuse to send it
    with pytest.raises(RequestRefused) as error:
        list(any_client.download(file_id, 5))
    assert error.value.status in (errno.EINVAL, errno.EFAULT)  # the latter by 6.06
    assert b"".join(any_client.download(file_id)) == b"x"  # the server hung up on the error; nobody notices
    for one in (file_id, growing, empty):
        any_client.delete(one)


def test_what_the_trackers_know(any_client):
    any_client.ping()
    (group,) = [one for one in any_client.groups() if one.name == "group1"]
    assert group.storage_count >= 1 and group.free_mb > 0
    for storage in any_client.storages("group1"):
        assert storage.is_active and storage.address[1] > 0 and storage.version and storage.free_mb > 0
    with pytest.raises(NoActiveStorage):
        put(any_client, b"x", group="nowhere")


def test_many_at_once_share_the_pool(any_client):
    failures = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                content = bytes([number, turn]) * 5000
                file_id = put(any_client, content)
                assert b"".join(any_client.download(file_id)) == content
                any_client.delete(file_id)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# Traps that other clients fall into


def test_addresses_of_both_sizes():
    for ip_bytes in (15, 16, 45, 46):
        target = b"group1".ljust(16, b"\0") + b"10.0.0.7".ljust(ip_bytes, b"\0") + (23000).to_bytes(8, "big")
        assert parse_fetch(target) == ("10.0.0.7", 23000)
        assert parse_store(target + b"\x03") == ("group1", ("10.0.0.7", 23000), 3)
    for wrong in (b"", b"x" * 41, b"\0" * 40):
        with pytest.raises(ProtocolError):
            parse_store(wrong)


def test_a_server_with_long_addresses(client, house):
    house.faults.ipv6 = True
    file_id = put(client, b"abc")
    assert b"".join(client.download(file_id)) == b"abc" and client.info(file_id).source == "127.0.0.2"


def test_large_files_are_neither_cut_nor_counted_twice(client):
    content = os.urandom(3_000_001)
    file_id = put(client, content)
    assert b"".join(client.download(file_id)) == content


def test_a_header_in_two_packets(client, house):
    house.faults.split_headers = True
    assert b"".join(client.download(put(client, b"abc"))) == b"abc"


def test_a_tracker_that_was_restarted(client, house):
    put(client, b"a")
    house.restart_tracker()
    put(client, b"b")
    assert len(house.files()) == 2


def test_a_storage_that_was_restarted(client, house):
    file_id = put(client, b"a")
    house.stop_storage()
    with pytest.raises(ConnectionFailed):
        put(client, b"b")
    house.start_storage()
    assert b"".join(client.download(file_id)) == b"a" and put(client, b"c")


def test_several_trackers_each_with_its_own_port(house, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{free.getsockname()[1]}"
    client = Client([dead, *house.trackers], connect_timeout=1)
    put(client, b"a")
    put(client, b"b")
    with pytest.raises(ConnectionFailed, match="no tracker answers"):
        Client([dead], connect_timeout=1).ping()


def test_a_silent_server_is_given_up(house):
    client = Client(house.trackers, timeout=0.3)
    file_id = put(client, b"a")
    house.faults.delay = 1.0
    started = time.monotonic()
    with pytest.raises(ConnectionFailed, match="no answer in time"):
        client.info(file_id)
    assert time.monotonic() - started < 5


def test_a_fork_has_its_own_connections(client, house):
    file_id = put(client, b"parent")
    child = os.fork()
    if child == 0:
        try:
            good = b"".join(client.download(file_id)) == b"parent" and put(client, b"child") is not None
            os._exit(0 if good else 1)
        except BaseException:
            os._exit(2)
    for _ in range(20):
        assert b"".join(client.download(file_id)) == b"parent"
    assert os.waitpid(child, 0)[1] == 0


def test_a_storage_behind_an_address_that_is_not_here(house):
    house.announced = ("203.0.113.9", 23000)
    port = house.storage_address[1]
    for mapping in ({"203.0.113.9:23000": f"127.0.0.1:{port}"}, {"203.0.113.9": f"127.0.0.1:{port}"}):
        assert b"".join(client_with(house, mapping)) == b"abc"


def client_with(house: FakeFastDFS, address_map: dict[str, str]):
    client = Client(house.trackers, address_map=address_map, connect_timeout=1)
    return client.download(put(client, b"abc"))


# Faults


def test_a_line_cut_at_every_byte_of_an_answer(client, house):
    content = bytes(range(40))
    file_id = put(client, content)
    for position in range(10 + len(content)):
        house.faults.drop_after, house.faults.times = position, 1
        assert b"".join(client.download(file_id)) == content  # it goes on where it stopped
    house.faults.drop_after, house.faults.times = 20, None
    with pytest.raises(ConnectionFailed, match="hung up"):
        b"".join(client.download(file_id))
    house.faults.reset()
    assert b"".join(client.download(file_id)) == content


def test_a_line_cut_at_every_byte_of_an_upload_leaves_nothing_behind(client, house):
    content = bytes(range(40))
    for position in range(25 + len(content)):
        house.faults.drop_upload_after = position
        with pytest.raises(ConnectionFailed):
            put(client, content)
    house.faults.reset()
    assert house.files() == []
    put(client, content)


def test_what_a_server_refuses_has_its_own_error(client, house):
    file_id = put(client, b"abc")
    house.faults.no_space = True
    with pytest.raises(NoSpace):
        put(client, bytes(5_000_000))
    house.faults.reset()
    for status, kind in ((16, Busy), (22, RequestRefused), (5, RequestRefused)):
        house.faults.status = status
        with pytest.raises(kind) as error:
            client.info(file_id)
        assert error.value.status == status and "127.0.0.1" in str(error.value)
    house.faults.reset()
    house.faults.dead_storage = True
    with pytest.raises(ConnectionFailed, match="cannot connect"):
        client.info(file_id)


def test_wrong_answers_are_found_out(client, house):
    file_id = put(client, b"abc" * 1000)
    house.faults.corrupt = True
    with pytest.raises(DataDamaged):
        b"".join(client.download(file_id))
    house.faults.reset()
    house.faults.garbage = True
    with pytest.raises((ProtocolError, RequestRefused)):
        client.info(file_id)
    house.faults.reset()
    house.faults.longer_by = 5
    with pytest.raises(FastDFSError):
        client.info(file_id)
    house.faults.longer_by = -5
    with pytest.raises((DataDamaged, FastDFSError)):
        b"".join(client.download(file_id))
    house.faults.reset()
    assert b"".join(client.download(file_id)) == b"abc" * 1000


def test_an_upload_of_a_file_that_shrinks_is_given_up(client, house):
    with pytest.raises(ValueError, match="ended"):
        client.upload(io.BytesIO(b"abc"), size=10)
    assert house.files() == []


def test_an_abandoned_download_does_not_spoil_the_next(client):
    file_id = put(client, os.urandom(2_000_000))
    pieces = client.download(file_id)
    next(pieces)
    pieces.close()
    assert len(b"".join(client.download(file_id))) == 2_000_000


# Names and texts


def test_what_a_file_id_says():
    file_id = FileId.parse(GOOD)
    assert (str(file_id), file_id.size, file_id.crc32, file_id.created) == (GOOD, 11, 222957957, 1795552524)
    growing = FileId.parse("group1/M00/00/00/fwAAAmsF9QyEM6AaAAAAAHpshvE204.log")
    assert growing.is_appender and growing.size is None


@pytest.mark.parametrize("wrong", [
    "", "group1", "group1/", GOOD.replace("M00/00/00", "M00/00/.."), "../" + GOOD, GOOD + "/..", GOOD[7:],
    GOOD.replace("group1", "g" * 17), GOOD.replace("group1", "gr oup"), GOOD + "x" * 30, GOOD + "\n", GOOD + "\0",
    "file:///etc/passwd", GOOD.replace("fwAA", "fw/A"), GOOD.replace("group1", "größe"),
])  # fmt: skip
def test_what_is_no_file_id(wrong):
    with pytest.raises(InvalidFileId):
        FileId.parse(wrong)


@given(st.text(max_size=80))
def test_no_text_makes_the_parser_stumble(text):
    with contextlib.suppress(InvalidFileId):
        assert str(FileId.parse(text)) == text


@pytest.mark.parametrize("extension", ["toolong", "a.b", "..", "ä", "a/b", " "])
def test_an_extension_that_does_not_fit(client, extension):
    with pytest.raises(InvalidFileId):
        put(client, b"x", extension=extension)


def test_metadata_there_and_back():
    metadata = {"a": "", "ü": "x y", "sha256": "0" * 64}
    assert unpack_metadata(pack_metadata(metadata)) == metadata and unpack_metadata(b"") == {}
    for wrong in ({"a\x01": "b"}, {"": "b"}, {"a": "\x02"}, {"a": "x" * 300}):
        with pytest.raises(ValueError, match="metadata"):
            pack_metadata(wrong)


def test_addresses_as_people_write_them():
    assert parse_address("tracker") == ("tracker", 22122) and parse_address("10.0.0.1:99") == ("10.0.0.1", 99)
    assert parse_address("[fe80::1]:22122") == ("fe80::1", 22122) and parse_address("fe80::1") == ("fe80::1", 22122)
    for wrong in ("", ":1", "a:b", "a:99999"):
        with pytest.raises(ValueError, match="address"):
            parse_address(wrong)
    with pytest.raises(ValueError, match="at least one"):
        Client([])


def test_signed_urls_as_the_server_computes_them():
    import hashlib

    file_id = FileId.parse(GOOD)
    url = signed_url("http://files:8888/", file_id, "FastDFS1234567890", now=1_500_000_000)
    expected = hashlib.md5(b"M00/00/00/fwAAAmsF9QyADKZrAAAACw1KEYU876.txtFastDFS12345678901500000000").hexdigest()
    assert url == f"http://files:8888/{GOOD}?token={expected}&ts=1500000000"
    assert signed_url("http://files:8888", file_id) == f"http://files:8888/{GOOD}" and len(token("a", "b", 0)) == 32


def test_the_client_needs_nothing_of_the_studio():
    import subprocess
    import sys

    code = "import sys; sys.modules['django'] = None; import fastdfs; print(sorted(sys.modules))"
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert "storage.services" not in done.stdout
