"""How much of the machine one process may take."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What ends a process, or makes its calls fail.

    Attributes:
        memory_bytes: resident memory; a watching thread kills the process above it.
        reserved_bytes: private writable memory that may be asked for (RLIMIT_DATA): beyond it an allocation fails
            (`MemoryError`). None: as `memory_bytes`. TensorFlow reserves several times what it uses.
        cpu_seconds: of all threads together (RLIMIT_CPU).
        file_bytes: of one written file (RLIMIT_FSIZE).
        folder_bytes: of all files in the work folder together; a watching thread kills the process above it.
        free_bytes: a watching thread kills the process when the disk of its work folder has less left.
        threads: the watching thread kills the process above it.
        processes: 0: it starts threads only, no other process. More: so many tasks beside those of its user
            (RLIMIT_NPROC, which counts threads too and does not hold for root).
        open_files: RLIMIT_NOFILE.
        niceness: how much it lets others go first on busy cores, from 0 to 19. When the machine has no memory left
            it is ended before the process that started it, whatever this is.
    """

    memory_bytes: int = 2 * GIB
    reserved_bytes: int | None = None
    cpu_seconds: int = 3600
    file_bytes: int = 4 * GIB
    folder_bytes: int = 16 * GIB
    free_bytes: int = 64 * MIB
    threads: int = 1024
    processes: int = 0
    open_files: int = 4096
    niceness: int = 0

    @property
    def data_bytes(self) -> int:
        return self.memory_bytes if self.reserved_bytes is None else self.reserved_bytes
