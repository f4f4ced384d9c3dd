"""One web process: uvicorn on a socket that the launcher opened, so that no connection is refused at a restart."""

from __future__ import annotations

import os
import socket
import sys

import uvicorn

from mlstudio.garbage import collect_nothing_yet, leave_out_what_stays


def main(descriptor: int) -> None:
    collect_nothing_yet()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
    from django.conf import settings
    from django.urls import get_resolver

    from mlstudio.asgi import application  # sets Django up, with its logging
    from mlstudio.connections import BACKLOG, protocol_for
    from mlstudio.limits import raise_file_limit
    from storage.services import local_cache

    local_cache().sweep_incoming()
    listening = socket.socket(fileno=descriptor)
    config = uvicorn.Config(
        application,
        http=protocol_for(raise_file_limit()),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=settings.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
        proxy_headers=False,
    )
    get_resolver().url_patterns  # noqa: B018 - reads all routes, before the first request and for good
    leave_out_what_stays()
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(int(sys.argv[1]))
