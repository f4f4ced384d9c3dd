"""Bytes of FastDFS by themselves: layouts of three versions, limits of each field, names, statuses, and kept lines."""

from __future__ import annotations

import errno
import io
import os
import select
import socket
import struct
import threading
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdfs import (
    Busy,
    Client,
    ConnectionFailed,
    FileId,
    FileNotInStore,
    InvalidFileId,
    NoActiveStorage,
    NoSpace,
    ProtocolError,
    RequestRefused,
)
from fastdfs.connection import IDLE_SECONDS, MAX_SMALL_BODY, Connection, Pool
from fastdfs.errors import refusal
from fastdfs.fileid import checked_extension
from fastdfs.protocol import (
    HEADER,
    group_field,
    number,
    pack_metadata,
    parse_file_info,
    parse_groups,
    parse_storages,
    text_of,
    unpack_metadata,
)
from fastdfs.urls import token
from tests.fastdfs_server import FakeFastDFS
from tests.fastdfs_server.server import make_name


@pytest.fixture
def house(tmp_path):
    house = FakeFastDFS(tmp_path / "store").start()
    yield house
    house.stop()


# Layouts


def group_record(name: bytes, numbers: tuple[int, ...]) -> bytes:
    return name.ljust(17, b"\0") + struct.pack(f">{len(numbers)}Q", *numbers)


@pytest.mark.parametrize(
    "numbers",
    [(900, 300, 0, 0, 2, 23000, 1, 8888, 0, 2, 256, 0), (900, 300, 0, 2, 23000, 8888, 1, 0, 2, 256, 0)],
    ids=["since 6.13.1", "before"],
)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_groups_of_both_layouts(numbers, count):
    body = b"".join(group_record(f"group{at}".encode(), numbers) for at in range(count))
    found = parse_groups(body)
    assert [one.name for one in found] == [f"group{at}" for at in range(count)]
    assert all(
        (one.total_mb, one.free_mb, one.storage_count, one.storage_port, one.active_count) == (900, 300, 2, 23000, 1)
        for one in found
    )


STORAGES = {"6.16.1": (18, 16, 50, 9, 487), "6.16.1 with IPv6": (18, 46, 80, 9, 517), "6.06": (17, 16, 177, 8, 612)}


def storage_record(state: int, layout: tuple[int, ...], version: bytes) -> bytes:
    ip_at, ip_bytes, version_at, port_place, size = layout
    record = bytearray(size)
    record[0] = state
    record[ip_at : ip_at + ip_bytes] = b"10.0.0.7".ljust(ip_bytes, b"\0")
    record[version_at : version_at + len(version)] = version
    numbers = [0] * 10
    numbers[2], numbers[3], numbers[port_place] = 900, 300, 23000
    record[version_at + 8 : version_at + 88] = struct.pack(">10Q", *numbers)
    return bytes(record)


@pytest.mark.parametrize("version", STORAGES)
@pytest.mark.parametrize(("state", "is_active"), [(7, True), (6, False), (0, False), (99, False)])
def test_storages_of_three_layouts(version, state, is_active):
    own = version.split()[0].encode()
    first, second = parse_storages(storage_record(state, STORAGES[version], own) * 2)
    assert first == second and first.address == ("10.0.0.7", 23000) and first.is_active is is_active
    assert (first.version, first.total_mb, first.free_mb) == (own.decode(), 900, 300)


@pytest.mark.parametrize("parse", [parse_groups, parse_storages, parse_file_info])
@pytest.mark.parametrize("length", [1, 41, 100, 486, 488])
def test_a_body_of_another_length_is_no_list(parse, length):
    with pytest.raises(ProtocolError, match=f"{length} bytes"):
        parse(bytes(length))


@pytest.mark.parametrize("ip_bytes", [16, 46])
def test_information_of_a_file_with_either_address(ip_bytes):
    body = struct.pack(">QQQ", 11, 1_700_000_000, 0xFFFFFFFF_ABCDEF01) + b"::1".ljust(ip_bytes, b"\0")
    found = parse_file_info(body)
    assert (found.size, found.created, found.crc32, found.source) == (11, 1_700_000_000, 0xABCDEF01, "::1")


@given(st.integers(0, 2**64 - 1))
def test_numbers_are_eight_bytes_the_highest_first(value):
    assert int.from_bytes(number(value), "big") == value and len(number(value)) == 8


@pytest.mark.parametrize(
    ("field", "text"), [(b"", ""), (b"\0\0", ""), (b"ab\0cd", "ab"), (b"abcd", "abcd"), (b"\xff\0", "\ufffd")]
)
def test_a_text_ends_at_its_first_nul(field, text):
    assert text_of(field) == text


# Limits of fields


@pytest.mark.parametrize("length", [1, 15, 16])
def test_a_group_fills_sixteen_bytes(length):
    assert group_field("g" * length) == b"g" * length + b"\0" * (16 - length)


@pytest.mark.parametrize("group", ["", "g" * 17, "g" * 1000])
def test_a_group_that_does_not_fit_is_refused(group):
    with pytest.raises(InvalidFileId, match="1 to 16"):
        group_field(group)


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("k" * 64, "", True),
        ("k" * 65, "", False),
        ("ä" * 32, "", True),
        ("ä" * 33, "", False),  # bytes count
        ("k", "v" * 256, True),
        ("k", "v" * 257, False),
        ("k", "a\x01", False),
        ("k\x02", "a", False),
    ],
)
def test_metadata_fits_or_is_refused(key, value, fits):
    if fits:
        assert unpack_metadata(pack_metadata({key: value})) == {key: value}
        return
    with pytest.raises(ValueError, match="1 to 64 bytes"):
        pack_metadata({key: value})


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x01\x02"), min_size=1, max_size=16)


@given(st.dictionaries(words, words | st.just(""), max_size=5))
def test_metadata_comes_back(metadata):
    assert unpack_metadata(pack_metadata(metadata)) == metadata


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_of_metadata_stumble(body):
    assert all(isinstance(part, str) for pair in unpack_metadata(body).items() for part in pair)


@pytest.mark.parametrize("extension", ["", "a", "jpg", "tflite", "A1b2C3"])
def test_an_extension_of_at_most_six_signs_is_taken(extension):
    assert checked_extension(extension) == extension


# Names


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.sampled_from([b"", b"x", b"jpg", b"tflite"]))
def test_a_name_says_the_size_and_the_checksum_that_it_was_made_with(size, crc, extension):
    file_id = FileId("group1", make_name(size, crc, extension, is_appender=False).decode())
    assert (file_id.size, file_id.crc32, file_id.is_appender) == (size, crc, False)
    assert FileId.parse(str(file_id)) == file_id


@given(st.integers(0, 2**32 - 1))
def test_a_file_that_can_grow_says_neither(size):
    file_id = FileId("group1", make_name(size, 7, b"log", is_appender=True).decode())
    assert (file_id.size, file_id.crc32, file_id.is_appender) == (None, None, True)


def test_the_token_of_a_url_depends_on_name_secret_and_time():
    tokens = {token(name, secret, at) for name in "ab" for secret in "cd" for at in (0, 1)}
    assert len(tokens) == 8 and all(len(one) == 32 for one in tokens)


# Statuses


@pytest.mark.parametrize(
    ("status", "is_tracker", "kind"),
    [
        (errno.ENOENT, False, FileNotInStore),
        (errno.ENOENT, True, NoActiveStorage),
        (errno.ENOSPC, False, NoSpace),
        (errno.ENOSPC, True, NoSpace),
        (errno.EBUSY, False, Busy),
        (errno.EINVAL, False, RequestRefused),
        (errno.EIO, False, RequestRefused),
        (255, True, RequestRefused),
    ],
)
def test_each_status_is_an_error_that_names_who_said_it(status, is_tracker, kind):
    error = refusal(status, server=("10.0.0.7", 23000), command=14, is_tracker=is_tracker)
    assert type(error) is kind and error.status == status
    assert (error.server, error.command) == (("10.0.0.7", 23000), 14)
    assert "10.0.0.7:23000, command 14" in str(error)


# Lines


class Speaker:
    """A server that says the same to each who connects, and notes what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.lines: list[socket.socket] = []
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            self.lines.append(line)
            line.sendall(self._answer)

    def hung_up(self, line: int) -> bool:
        """Whether the other side has closed the line of this number."""
        until = time.monotonic() + 10
        while len(self.lines) <= line and time.monotonic() < until:
            time.sleep(0.005)
        poll = select.poll()
        poll.register(self.lines[line], select.POLLIN)
        return bool(poll.poll(100)) and self.lines[line].recv(1) == b""

    def close(self) -> None:
        for one in (self.socket, *self.lines):
            one.close()


@pytest.fixture
def speak():
    made = []

    def start(answer: bytes) -> Connection:
        speaker = Speaker(answer)
        connection = Connection(speaker.address, connect_timeout=2, timeout=2, is_tracker=False)
        made.extend([speaker, connection])
        return connection

    yield start
    for one in reversed(made):
        one.close()


def test_an_answer_of_just_the_largest_length_is_read_and_one_above_is_not(speak):
    assert speak(HEADER.pack(3, 100, 0) + b"abc").read_body() == b"abc"
    with pytest.raises(ProtocolError, match=str(MAX_SMALL_BODY + 1)):
        speak(HEADER.pack(MAX_SMALL_BODY + 1, 100, 0)).read_body()


@pytest.mark.parametrize("command", [0, 99, 101, 255])
def test_what_is_no_answer_is_a_fault_of_the_protocol(speak, command):
    with pytest.raises(ProtocolError, match=f"command {command} instead"):
        speak(HEADER.pack(0, command, 0)).read_body()


def test_the_body_of_a_refusal_is_read_away_so_that_the_line_can_go_on(speak):
    connection = speak(HEADER.pack(5, 100, errno.EIO) + b"sorry" + HEADER.pack(2, 100, 0) + b"ok")
    with pytest.raises(RequestRefused):
        connection.read_body()
    assert connection.read_body() == b"ok"


def test_a_line_on_which_something_came_unasked_is_not_used_again(speak):
    connection = speak(b"")
    assert connection.is_alive()
    connection.used -= IDLE_SECONDS + 1
    assert not connection.is_alive()
    other = speak(b"x")
    other.read(1)
    assert other.is_alive()
    unasked = speak(b"xy")
    unasked.read(1)
    assert not unasked.is_alive()


def test_a_pool_keeps_so_many_idle_lines_and_closes_the_rest():
    speaker = Speaker(b"")
    pool = Pool(connect_timeout=2, timeout=2, max_idle=2)
    with pool.connection(speaker.address) as first, pool.connection(speaker.address) as second:
        with pool.connection(speaker.address) as third:
            assert len({id(first), id(second), id(third)}) == 3
    with pool.connection(speaker.address) as again:
        assert again in (second, third)
    assert [speaker.hung_up(line) for line in range(3)] == [True, False, False]
    pool.close()
    assert speaker.hung_up(1) and speaker.hung_up(2)
    speaker.close()


def test_a_line_on_which_an_exchange_broke_off_is_closed():
    speaker = Speaker(b"")
    pool = Pool(connect_timeout=2, timeout=2)
    with pytest.raises(KeyboardInterrupt), pool.connection(speaker.address) as broken:
        raise KeyboardInterrupt
    with pool.connection(speaker.address) as fresh:
        assert fresh is not broken and speaker.hung_up(0)
    pool.close()
    speaker.close()


# A client


def test_a_tracker_that_failed_is_asked_last_for_a_while(house):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{free.getsockname()[1]}"
        client = Client([dead, *house.trackers], connect_timeout=1, timeout=1)
        client.ping()
        asked = len(house.tracker.commands)
        listener = free
        listener.listen()  # it would accept, and never answer
        for _ in range(3):
            client.ping()
        assert len(house.tracker.commands) == asked + 3
    client.close()


def test_deleting_twice_says_that_it_is_gone(house):
    client = Client(house.trackers)
    file_id = client.upload(io.BytesIO(b"x"), size=1)
    client.delete(file_id)
    with pytest.raises(FileNotInStore):
        client.delete(file_id)
    client.close()


def test_a_delete_whose_answer_was_lost_has_worked(house):
    client = Client(house.trackers)
    file_id = client.upload(io.BytesIO(b"x"), size=1)
    house.faults.drop_after, house.faults.times = 4, 1
    client.delete(file_id)
    assert house.files() == []
    client.close()


def test_an_append_whose_answer_was_lost_is_not_repeated(house):
    client = Client(house.trackers)
    file_id = client.upload_appender(io.BytesIO(b"one"), size=3)
    house.faults.drop_after, house.faults.times = 4, 1
    with pytest.raises(ConnectionFailed):
        client.append(file_id, io.BytesIO(b"two"), size=3)
    assert b"".join(client.download(file_id)) == b"onetwo"
    client.close()


@pytest.mark.parametrize(
    ("offset", "length", "part"),
    [
        (0, 1, slice(0, 1)),
        (9, None, slice(9, None)),
        (5, 5, slice(5, 10)),
        (0, 10, slice(0, 10)),
        (9, 99, slice(9, 10)),
    ],
)
def test_parts_at_the_ends_of_a_file(house, offset, length, part):
    client = Client(house.trackers)
    content = os.urandom(10)
    file_id = client.upload(io.BytesIO(content), size=10)
    assert b"".join(client.download(file_id, offset, length)) == content[part]
    assert file_id.crc32 == zlib.crc32(content)
    client.close()


def test_an_open_file_needs_its_size(house):
    client = Client(house.trackers)
    with pytest.raises(ValueError, match="size"):
        client.upload(io.BytesIO(b"x"))
    assert house.files() == []
    client.close()
