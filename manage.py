#!/usr/bin/env python3
"""Entry of every command: `studio` starts everything, the others are Django's and ours."""

import os
import sys

MINIMUM_PYTHON = (3, 11)


def take_data_dir(arguments: list[str]) -> list[str]:
    """Let `--data-dir`, which every command takes, decide before settings are read. Returns the other arguments."""
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if name == "--data-dir":
            os.environ["MLSTUDIO_DATA_DIR"] = value if equals else next(waiting, "")
        else:
            rest.append(argument)
    return rest


def main() -> None:
    if sys.version_info < MINIMUM_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        print(f"ML Studio needs Python 3.11 or newer; this is Python {found}.", file=sys.stderr)
        sys.exit(2)
    from mlstudio.garbage import collect_nothing_yet, leave_out_what_stays

    collect_nothing_yet()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
    arguments = take_data_dir(sys.argv)
    if arguments[1:2] == ["studio"]:
        from mlstudio.launcher import main as run_studio

        leave_out_what_stays()
        sys.exit(run_studio(sys.argv[2:]))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
