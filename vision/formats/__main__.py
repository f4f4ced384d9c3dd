"""`python -m vision.formats FORMAT MAX_BYTES [NAME_ENCODING] < archive.zip`: what an archive's annotations say.

Runs in the sandbox, and writes what they say, or what is wrong with them, into the working directory
(`vision.formats.transfer`).
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from vision.formats import FormatError, read, transfer
from vision.formats.texts import TooManyAnnotations, ZipTexts

OUT_OF_MEMORY = 71


def main(descriptor: int, folder: Path, name: str, max_bytes: int, name_encoding: str = "") -> int:
    """Write into the folder what the open archive says. Returns the exit code of the process."""
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as file, zipfile.ZipFile(file) as archive:
            transfer.write(read(ZipTexts(archive, max_bytes, name_encoding), name), folder)
    except FormatError as error:
        transfer.write_error(error.code, str(error), folder)
    except TooManyAnnotations as error:
        transfer.write_error("annotations_too_large", str(error), folder)
    except zipfile.BadZipFile as error:
        transfer.write_error("not_a_zip", f"The archive cannot be read ({error}).", folder)
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.fileno(), Path.cwd(), sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
