"""Lines to servers of FastDFS: which are kept and which are closed, and what is asked again when one breaks."""

from __future__ import annotations

import errno
import io
import os
import select
import socket
import threading
import time
import zlib

import pytest

from fastdfs import Client, ConnectionFailed, FileNotInStore, ProtocolError, RequestRefused
from fastdfs.connection import IDLE_SECONDS, MAX_SMALL_BODY, Connection, Pool
from fastdfs.protocol import HEADER
from tests.fastdfs_server import FakeFastDFS


@pytest.fixture
def house(tmp_path):
    house = FakeFastDFS(tmp_path / "store").start()
    yield house
    house.stop()


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
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        client = Client([f"127.0.0.1:{listener.getsockname()[1]}", *house.trackers], connect_timeout=1, timeout=1)
        client.ping()
        listener.listen()
        listener.setblocking(False)
        client.ping()
        with pytest.raises(BlockingIOError):  # nobody has come
            listener.accept()
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
