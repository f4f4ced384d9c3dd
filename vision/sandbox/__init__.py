"""One place where work on strangers' bytes runs: no network, no secrets, one folder to write to, limits of everything.

`vision.sandbox.process.start` starts a process in it; `vision.sandbox.protections.missing` says what a system lacks.
"""
