"""`mlstudio-agent enrol | pull | run | watch | status`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import signal
import sys
import threading
import time
from pathlib import Path

from . import __version__, inputs
from .errors import AgentError, NoModel, NotEnrolled
from .puller import Puller
from .service import Service, describe_machine, title
from .store import Store, default_folder
from .studio import Studio
from .trust import keys_of

log = logging.getLogger(__name__)

FEEDBACK = "send images that the model is unsure of to the studio, as far as the group wants them; default: none"


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Defaults are shown where there are any."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


def main(arguments: list | None = None) -> int:
    """Returns the exit status: 0 good, 1 a sentence on standard error says why not."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    try:
        code = options.do(Store(options.folder), options)
        sys.stdout.flush()
    except AgentError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for those who typed the command
        return 1
    except BrokenPipeError:
        _forget_output()
        return 0
    return code


def _forget_output() -> None:
    """The reader has gone (`| head`): Python would complain when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlstudio-agent", description="Runs models of ML Studio on this device.", formatter_class=Help
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--folder", type=Path, default=default_folder(), help="where everything is kept; also MLSTUDIO_AGENT_DIR"
    )
    parser.add_argument("--verbose", action="store_true", help="say more on standard error")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", formatter_class=Help)

    enrol = command("enrol", "make this device known to a studio, once")
    enrol.add_argument("--url", required=True, help="of the studio, for example http://studio.local:8000")
    enrol.add_argument("--code", required=True, help="an enrolment code from the studio")
    enrol.add_argument("--name", default=platform.node() or "device", help="of this device, in the studio")
    enrol.add_argument("--again", action="store_true", help="replace an identity that is there")
    enrol.set_defaults(do=_enrol)

    command("pull", "get the model that this device is to run").set_defaults(do=_pull)
    command("status", "say what this device is and runs, and whether the studio answers").set_defaults(do=_status)

    run = command("run", "predict files, one JSON line each; needs no network")
    run.add_argument("files", nargs="+", type=Path)
    run.add_argument("--feedback", action="store_true", help=FEEDBACK)
    run.set_defaults(do=_run)

    watch = command("watch", "stay: keep the model fresh, predict what comes in, report")
    watch.add_argument("--input", dest="watched", type=Path, help="a folder; every image that appears is predicted")
    watch.add_argument("--camera", help="number of a camera, or the address of one (rtsp://…)")
    watch.add_argument("--every", type=float, default=1.0, help="seconds between looks at folder or camera")
    watch.add_argument("--http", type=int, help="a port for other programs on this device")
    watch.add_argument("--http-host", default="127.0.0.1", help="the address to listen on, with --http")
    watch.add_argument("--output", type=Path, help="a file for the JSON lines; default: standard output")
    watch.add_argument("--feedback", action="store_true", help=FEEDBACK)
    watch.set_defaults(do=_watch)
    return parser


def _enrol(store: Store, options: argparse.Namespace) -> int:
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
    settings = {"poll_seconds": found["poll_seconds"]} if "poll_seconds" in found else {}
    store.update_state(etag="", sequence=0, settings=settings)
    store.note_contact()
    print(f"Enrolled as {options.name} ({found['device']}). Next: mlstudio-agent pull")  # noqa: T201
    return 0


def _pull(store: Store, options: argparse.Namespace) -> int:
    puller = Puller(store)
    changed = puller.pull()
    if puller.problem:
        raise AgentError(f"The new model failed, the last good one stays: {puller.problem}")
    current = store.state().get("current")
    if current is None:
        text = "Nothing to run yet: nothing is deployed to this device's group. Make a deployment in the studio."
    elif changed:
        text = f"Now running {title(current)}."
    else:
        text = f"Still running {title(current)}; the studio has nothing newer for this device."
    print(text)  # noqa: T201
    return 0


def _status(store: Store, options: argparse.Namespace) -> int:
    state = store.state()
    identity: dict | None
    known: dict | None
    try:
        identity = store.identity()
        known = {"url": identity["url"], "device": identity["device"], "keys": sorted(identity["keys"])}
    except AgentError:
        identity = known = None
    current = state.get("current")
    found = {
        "agent": __version__,
        "folder": str(store.folder),
        "identity": known,
        "studio": None if identity is None else _contact(store, identity),
        "model": {key: current["model"][key] for key in ("name", "version", "task")} if current else None,
        "kind": current["file"]["kind"] if current else None,
        "failed": state.get("failed"),
        "poll_seconds": state.get("settings", {}).get("poll_seconds", 60),
        "waiting_images": len(list(store.queue.glob("*.image"))),
    }
    print(json.dumps(found, indent=2, ensure_ascii=False))  # noqa: T201
    return 0


def _contact(store: Store, identity: dict) -> dict:
    problem = Studio(identity["url"], identity["key"]).why_unreachable()
    answered = store.last_contact().get("answered_at")
    at = None if answered is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(answered))
    return {"reachable": not problem, "problem": problem, "last_contact": at}


def _run(store: Store, options: argparse.Namespace) -> int:
    service = Service(store, feedback=options.feedback)
    if service.loaded is None:
        raise NoModel("This device has no model yet. Run: mlstudio-agent pull")
    good = True
    for path in options.files:
        try:
            content = path.read_bytes()
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)  # noqa: T201
            good = False
            continue
        good = "error" not in service.predict(content, str(path)) and good
        if service.is_output_closed:
            raise BrokenPipeError
    return 0 if good else 1


def _watch(store: Store, options: argparse.Namespace) -> int:
    output = open(options.output, "a", encoding="utf-8") if options.output else None  # noqa: SIM115 - as long as we run
    service = Service(store, output, for_long=True, feedback=options.feedback)
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: service.stopping.set())
    if options.http is not None:
        server = inputs.serve_http(service, options.http_host, options.http)
        log.info("answering at http://%s:%s/predict and /status", *server.server_address[:2])
    _say_what_it_does(store, service, options)
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
    if service.is_output_closed:
        _forget_output()
    return 0


def _say_what_it_does(store: Store, service: Service, options: argparse.Namespace) -> None:
    """What somebody who starts it by hand, or reads its log, wants to know first."""
    log.info("mlstudio-agent %s, everything is kept in %s", __version__, store.folder)
    if options.watched is not None:
        log.info("watching the folder %s every %g s", options.watched, options.every)
    elif options.camera is not None:
        log.info("looking at camera %s every %g s", options.camera, options.every)
    try:
        poll = store.state().get("settings", {}).get("poll_seconds", 60)
        log.info("asking %s for news every %s s", store.identity()["url"], poll)
    except NotEnrolled as error:
        log.warning("%s", error)
    model = service.loaded
    log.info("running %s", title(model)) if model else log.info("waiting for a model: nothing is deployed here yet")
    log.info(
        "images that the model is unsure of are sent to the studio"
        if options.feedback
        else "images stay on this device (with --feedback those that the model is unsure of are sent)"
    )


if __name__ == "__main__":
    sys.exit(main())
