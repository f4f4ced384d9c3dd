"""`mlstudio-agent enrol | pull | run | watch | status`."""

from __future__ import annotations

import argparse
import json
import logging
import platform
import signal
import sys
import threading
from pathlib import Path

from . import __version__, inputs
from .errors import AgentError
from .puller import Puller
from .service import Service, describe_machine
from .store import Store, default_folder
from .studio import Studio
from .trust import keys_of


def main(arguments: list | None = None) -> int:
    """Returns the exit status: 0 good, 1 a sentence on standard error says why not."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    try:
        return options.do(Store(options.folder), options)
    except AgentError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for whoever typed the command
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mlstudio-agent", description="Runs models of ML Studio on this device.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--folder", type=Path, default=default_folder(), help="where everything is kept")
    parser.add_argument("--verbose", action="store_true")
    commands = parser.add_subparsers(dest="command", required=True)

    enrol = commands.add_parser("enrol", help="make this device known to a studio, once")
    enrol.add_argument("--url", required=True, help="of the studio, for example http://studio.local:8000")
    enrol.add_argument("--code", required=True, help="an enrolment code from the studio")
    enrol.add_argument("--name", default=platform.node() or "device")
    enrol.add_argument("--again", action="store_true", help="replace an identity that is there")
    enrol.set_defaults(do=_enrol)

    commands.add_parser("pull", help="get the model that this device is to run").set_defaults(do=_pull)
    commands.add_parser("status", help="say what this device is and runs").set_defaults(do=_status)

    run = commands.add_parser("run", help="predict files, one JSON line each; needs no network")
    run.add_argument("files", nargs="+", type=Path)
    run.set_defaults(do=_run)

    watch = commands.add_parser("watch", help="stay: keep the model fresh, predict what comes in, report")
    watch.add_argument("--input", dest="watched", type=Path, help="a folder; every picture that appears is predicted")
    watch.add_argument("--camera", help="number of a camera, or the address of one (rtsp://…)")
    watch.add_argument("--every", type=float, default=1.0, help="seconds between looks at folder or camera")
    watch.add_argument("--http", type=int, help="a port for other programs on this device")
    watch.add_argument("--http-host", default="127.0.0.1")
    watch.add_argument("--output", type=Path, help="a file for the JSON lines; default: standard output")
    watch.set_defaults(do=_watch)
    return parser


def _enrol(store: Store, options) -> int:
    try:
        store.identity()
    except AgentError:
        pass
    else:
        if not options.again:
            raise AgentError("This device is enrolled already. With --again its identity is replaced.")
    found = Studio(options.url).enrol(options.code, options.name, describe_machine())
    store.write_identity(
        {"url": options.url.rstrip("/"), "device": found["device"], "key": found["key"], "keys": keys_of(found["keys"])}
    )
    store.update_state(etag="", sequence=0)
    print(f"Enrolled as {options.name} ({found['device']}).")  # noqa: T201
    return 0


def _pull(store: Store, options) -> int:
    puller = Puller(store)
    changed = puller.pull()
    if puller.problem:
        raise AgentError(f"The new model failed, the last good one stays: {puller.problem}")
    current = store.state().get("current")
    name = f"{current['model']['name']} v{current['model']['version']}" if current else "nothing"
    print(f"{'Now running' if changed else 'Still running'} {name}.")  # noqa: T201
    return 0


def _status(store: Store, options) -> int:
    state = store.state()
    try:
        identity = store.identity()
        known = {"url": identity["url"], "device": identity["device"], "keys": sorted(identity["keys"])}
    except AgentError:
        known = None
    current = state.get("current")
    found = {
        "agent": __version__,
        "identity": known,
        "model": {key: current["model"][key] for key in ("name", "version", "task")} if current else None,
        "kind": current["file"]["kind"] if current else None,
        "failed": state.get("failed"),
        "waiting_pictures": len(list(store.queue.glob("*.image"))),
    }
    print(json.dumps(found, indent=2, ensure_ascii=False))  # noqa: T201
    return 0


def _run(store: Store, options) -> int:
    service = Service(store)
    good = True
    for path in options.files:
        try:
            content = path.read_bytes()
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)  # noqa: T201
            good = False
            continue
        good = service.predict(content, str(path)) is not None and good
    return 0 if good else 1


def _watch(store: Store, options) -> int:
    output = open(options.output, "a", encoding="utf-8") if options.output else None  # noqa: SIM115 - as long as we run
    service = Service(store, output, for_long=True)
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: service.stopping.set())
    if options.http is not None:
        inputs.serve_http(service, options.http_host, options.http)
    contact = threading.Thread(target=service.keep_contact, daemon=True)
    contact.start()
    if options.watched is not None:
        inputs.watch_folder(service, options.watched, options.every)
    elif options.camera is not None:
        inputs.watch_camera(service, options.camera, options.every)
    else:
        service.stopping.wait()
    contact.join(5)
    service.stands()
    return 0


if __name__ == "__main__":
    sys.exit(main())
