"""Bytes of FastDFS by themselves: layouts of three versions, limits of each field, names and statuses."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdfs import (
    Busy,
    FileId,
    FileNotInStore,
    InvalidFileId,
    NoActiveStorage,
    NoSpace,
    ProtocolError,
    RequestRefused,
)
from fastdfs.errors import refusal
from fastdfs.fileid import checked_extension
from fastdfs.protocol import (
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
from tests.fastdfs_server.server import make_name

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
