"""One web process: uvicorn on a socket that the launcher opened, so that no connection is refused at a restart."""

from __future__ import annotations

import os
import socket
import sys

import uvicorn


def main(descriptor: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
    from mlstudio.asgi import application  # sets Django up, with its logging
    from storage.services import local_cache

    local_cache().sweep_incoming()
    listening = socket.socket(fileno=descriptor)
    config = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=3,
        proxy_headers=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(int(sys.argv[1]))
