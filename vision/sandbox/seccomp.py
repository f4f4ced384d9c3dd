"""A filter of system calls: what Landlock does not know of, above all sockets, other processes and the kernel itself.

A classic BPF program over `struct seccomp_data` (Documentation/userspace-api/seccomp_filter.rst of Linux), for x86-64
and 64-bit ARM. It is a list of what is refused, since TensorFlow's and CUDA's calls change from release to release;
calls that are newer than this list do not exist inside ("ENOSYS"), so nothing new slips through.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

SET_SECCOMP, MODE_FILTER, SET_NO_NEW_PRIVS = 22, 2, 38
LOAD, EQUAL, GREATER, BITS, AND, RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NEWEST = 451

# name: (x86_64, aarch64); None where the architecture has no such call.
REFUSED = {
    # Sockets of every family; a pair of connected streams remains. A file that is on its way through it, and not open
    # any more, would be counted nowhere.
    "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    # Other processes of the same user: their memory, limits, priority, files.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "migrate_pages": (256, 238), "move_pages": (279, 239), "setpriority": (141, 140),
    "ioprio_set": (251, 30), "sched_setattr": (314, 274), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "setpgid": (109, 154), "setsid": (112, 157),
    # Owners, modes, times and attributes, which Landlock does not look at; links and pipes in the work folder.
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "utime": (132, None),
    "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None), "truncate": (76, 45),
    "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "inotify_init": (253, None),
    "inotify_init1": (294, 26), "fanotify_init": (300, 262), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    # Memory that belongs to nobody's account.
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "mq_unlink": (241, 181),
    # The kernel and the machine.
    "bpf": (321, 280), "perf_event_open": (298, 241), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "move_mount": (429, 429), "mount_setattr": (442, 442), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "unshare": (272, 97), "setns": (308, 268),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "acct": (163, 89), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None),
    "ioperm": (173, None), "syslog": (103, 116), "lookup_dcookie": (212, 18), "vhangup": (153, 58),
    "personality": (135, 92), "modify_ldt": (154, None), "uselib": (134, None),
}  # fmt: skip
# Libraries try these first and know what to do without them.
UNKNOWN = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "userfaultfd": (323, 282),
    "memfd_secret": (447, 447),
    "openat2": (437, 437),
    "clone3": (435, 435),
}
ANONYMOUS_FILE = (319, 279)  # memfd_create; CUDA keeps its code in one
NEW_PROCESSES = {"fork": (57, None), "vfork": (58, None)}
CLONE, CLONE_THREAD = (56, 220), 0x00010000
KILL_CALL, TGKILL = (62, 129), (234, 131)
SOCKETPAIR, SOCK_TYPE, SOCK_STREAM = (53, 199), 0xF, 1
OPEN, OPENAT, ACCESS_MODE, O_TRUNC = (2, None), (257, 56), 0x3, 0o1000
PRLIMIT, SCHED_SETAFFINITY = (302, 261), (203, 122)
CREAT, O_CREAT, O_TMPFILE, SET_ID_BITS = (85, None), 0o100, 0o20000000, 0o6000
PRCTL, SET_PDEATHSIG, SIGKILL = (157, 167), 1, 9
SET_DUMPABLE = 4  # what is not "dumpable" cannot be watched by others of its user
# F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to others. F_SETLEASE: those who open the file then wait, up to 45 s.
FCNTL, NOT_OF_FILES = (72, 25), (8, 10, 15, 1024)
IOCTL, TERMINAL_INPUT = (16, 29), (0x5412, 0x541C, 0x8901, 0x8902)  # TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP


def is_supported() -> bool:
    """Whether this machine's architecture is known here and its kernel takes filters."""
    if sys.platform != "linux" or platform.machine() not in AUDIT:
        return False
    return ctypes.CDLL(None).prctl(21, 0, 0, 0, 0) >= 0  # PR_GET_SECCOMP


def restrict(*, may_start_processes: bool, may_signal_children: bool, may_make_anonymous_files: bool) -> None:
    """From here on this process makes none of the refused calls. Nothing is done on other systems.

    Raises:
        OSError: the kernel refuses.
    """
    if not is_supported():
        return
    program = _program(may_start_processes, may_signal_children, may_make_anonymous_files)
    code = b"".join(program)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("=H6xQ", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(SET_SECCOMP, MODE_FILTER, head, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _program(may_start_processes: bool, may_signal_children: bool, may_make_anonymous_files: bool) -> list[bytes]:
    machine = platform.machine()
    column = list(AUDIT).index(machine)
    code = [_step(LOAD, ARCHITECTURE), _step(EQUAL, AUDIT[machine], 1, 0), _step(RETURN, KILL), _step(LOAD, NUMBER)]
    # Also the calls of the x32 interface, whose numbers begin at 2^30.
    code += [_step(GREATER, NEWEST, 0, 1), _refuse(errno.ENOSYS)]
    for calls, error in ((REFUSED, errno.EPERM), (UNKNOWN, errno.ENOSYS)):
        for numbers in calls.values():
            code += _when(numbers[column], [_refuse(error)])
    own = os.getpid()
    rules = [
        (SOCKETPAIR, [_argument(1), _step(AND, SOCK_TYPE), *_only((SOCK_STREAM,))]),
        (OPEN, _opening(flags=1)),
        (OPENAT, _opening(flags=2)),
        (CREAT, [_argument(1), *_no_set_id()]),
        (PRLIMIT, [_argument(0), *_only((0, own))]),
        (SCHED_SETAFFINITY, [_argument(0), *_only((0, own))]),
        (PRCTL, _of_its_own_process()),
        (FCNTL, [_argument(1), *_none_of(NOT_OF_FILES)]),
        (IOCTL, [_argument(1), *_none_of(TERMINAL_INPUT)]),
    ]
    if not may_make_anonymous_files:
        rules.append((ANONYMOUS_FILE, [_refuse(errno.ENOSYS)]))
    if not may_start_processes:
        rules += [(call, [_refuse(errno.EPERM)]) for call in NEW_PROCESSES.values()]
        rules += [(CLONE, [_argument(0), _step(BITS, CLONE_THREAD, 1, 0), _refuse(errno.EPERM), _allow()])]
    if not may_signal_children:
        rules += [(call, [_argument(0), *_only((own,))]) for call in (KILL_CALL, TGKILL)]
    for numbers, block in rules:
        code += _when(numbers[column], block)
    return [*code, _allow()]


def _step(operation: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, when_true, when_false, value)


def _when(number: int | None, block: list[bytes]) -> list[bytes]:
    """The block, which ends in a return, for one system call."""
    return [] if number is None else [_step(EQUAL, number, 0, len(block)), *block]


def _argument(index: int) -> bytes:
    """The lower half: all that are looked at are of 32 bits."""
    return _step(LOAD, ARGUMENTS + 8 * index)


def _only(values: tuple[int, ...]) -> list[bytes]:
    checks = [_step(EQUAL, value, len(values) - at, 0) for at, value in enumerate(values)]
    return [*checks, _refuse(errno.EPERM), _allow()]


def _none_of(values: tuple[int, ...]) -> list[bytes]:
    checks = [_step(EQUAL, value, len(values) - at, 0) for at, value in enumerate(values)]
    return [*checks, _allow(), _refuse(errno.EPERM)]


def _opening(flags: int) -> list[bytes]:
    """Opening to read with O_TRUNC empties a file, which Landlock knows from its third version on. And a file that runs
    with the powers of its owner is made by opening, too."""
    new = [_argument(flags + 1), *_no_set_id()]
    return [
        _argument(flags),
        _step(AND, ACCESS_MODE | O_TRUNC),
        _step(EQUAL, O_TRUNC, 1, 0),
        _step(EQUAL, O_TRUNC | ACCESS_MODE, 0, 1),
        _refuse(errno.EPERM),
        _argument(flags),
        _step(BITS, O_CREAT | O_TMPFILE, 0, len(new)),
        *new,
        _allow(),
    ]


def _no_set_id() -> list[bytes]:
    return [_step(BITS, SET_ID_BITS, 0, 1), _refuse(errno.EPERM), _allow()]


def _of_its_own_process() -> list[bytes]:
    signal = [_argument(1), *_only((SIGKILL,))]
    return [
        _argument(0),
        _step(EQUAL, SET_DUMPABLE, 0, 1),
        _refuse(errno.EPERM),
        _step(EQUAL, SET_PDEATHSIG, 0, len(signal)),
        *signal,
        _allow(),
    ]


def _refuse(error: int) -> bytes:
    return _step(RETURN, REFUSE | error)


def _allow() -> bytes:
    return _step(RETURN, ALLOW)
