"""FastDFS up and down: our client beside the server's own C client and plain copies, with memory.

Needs a running FastDFS: `FASTDFS_TRACKERS=host:port`. The C client takes part where `FASTDFS_C_CLIENT` names the folder
with `fdfs_upload_file`, and `FASTDFS_C_CONFIG` its configuration.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.rows import Row, at_most

LARGE_BYTES = 200_000_000
SMALL_BYTES, SMALL_COUNT = 20_000, 1000
TURNS = 3
# VmHWM, for what `getrusage` calls the peak begins with that of the process that started this one.
MEMORY = """
import re, sys
from pathlib import Path
from fastdfs import Client

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

client, before = Client([sys.argv[1]]), peak()
one = client.upload(Path(sys.argv[2]))
with open(sys.argv[3], "wb") as target:
    client.download_to(one, target)
client.delete(one)
print(peak() - before)
"""


def run(folder: Path) -> list[Row]:
    trackers = os.environ.get("FASTDFS_TRACKERS", "")
    if not trackers:
        return [Row("FastDFS", "not measured", "set FASTDFS_TRACKERS", None)]
    large, small = folder / "large.bin", folder / "small.bin"
    large.write_bytes(os.urandom(LARGE_BYTES))
    small.write_bytes(os.urandom(SMALL_BYTES))
    return [*_large(folder, trackers, large), *_small(folder, trackers, small), _memory(folder, trackers, large)]


def _large(folder: Path, trackers: str, source: Path) -> list[Row]:
    from fastdfs import Client

    client, target, copy = Client(trackers.split(",")), folder / "back.bin", folder / "copy.bin"
    c_client = _CClient(folder)
    times: dict[str, list[float]] = {name: [] for name in ("up", "down", "c up", "c down", "copy")}
    for _ in range(TURNS):
        times["copy"].append(_seconds(lambda: shutil.copyfile(source, copy)))
        found: list = []
        times["up"].append(_seconds(lambda found=found: found.append(client.upload(source))))

        def down(file_id) -> None:
            with open(target, "wb") as file:
                client.download_to(file_id, file)

        times["down"].append(_seconds(lambda found=found: down(found[0])))
        client.delete(found[0])
        if c_client.is_here:
            times["c up"].append(_seconds(lambda: c_client.upload(source)))
            times["c down"].append(_seconds(lambda: c_client.download(target)))
            c_client.delete()
    median = {name: statistics.median(values) for name, values in times.items() if values}
    plain = f"plain copy {median['copy']:.2f} s"
    rows = []
    for way in ("up", "down"):
        what = f"FastDFS, 200 MB {way}"
        if c_client.is_here:
            against = f"C client {median[f'c {way}']:.2f} s, {plain}"
            rows.append(at_most(what, f"{median[way]:.2f} s", against, median[way] / median[f"c {way}"], 1.2))
        else:
            rows.append(Row(what, f"{median[way]:.2f} s", plain, median[way] / median["copy"]))
    return rows


def _small(folder: Path, trackers: str, source: Path) -> list[Row]:
    from fastdfs import Client

    client, ids = Client(trackers.split(",")), []
    up = _seconds(lambda: ids.extend(client.upload(source) for _ in range(SMALL_COUNT)))
    down = _seconds(lambda: [b"".join(client.download(one)) for one in ids])
    for one in ids:
        client.delete(one)
    copy = _seconds(lambda: [shutil.copyfile(source, folder / f"{n}.bin") for n in range(SMALL_COUNT)])
    return [
        Row(f"FastDFS, {SMALL_COUNT} × 20 kB {way}", f"{seconds:.2f} s", f"plain copy {copy:.2f} s", seconds / copy)
        for way, seconds in (("up", up), ("down", down))
    ]


def _memory(folder: Path, trackers: str, source: Path) -> Row:
    command = [sys.executable, "-c", MEMORY, trackers.split(",")[0], str(source), str(folder / "out.bin")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes = int(done.stdout) / 1024
    return at_most("FastDFS, 200 MB there and back: more memory", f"{megabytes:.1f} MB", "32 MB", megabytes / 32, 1.0)


class _CClient:
    def __init__(self, folder: Path) -> None:
        self._tools = Path(os.environ.get("FASTDFS_C_CLIENT", "/nowhere"))
        self._configuration = os.environ.get("FASTDFS_C_CONFIG", "")
        self.is_here = (self._tools / "fdfs_upload_file").exists() and bool(self._configuration)
        self._file_id = ""

    def upload(self, source: Path) -> None:
        self._file_id = self._call("fdfs_upload_file", str(source)).strip()

    def download(self, target: Path) -> None:
        self._call("fdfs_download_file", self._file_id, str(target))

    def delete(self) -> None:
        self._call("fdfs_delete_file", self._file_id)

    def _call(self, tool: str, *arguments: str) -> str:
        command = [str(self._tools / tool), self._configuration, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
