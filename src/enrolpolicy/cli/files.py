"""Files that commands write: whole, or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from enrolpolicy.cli.command import Usage
from enrolpolicy.text import safe


def write_file(name: str, content: str) -> None:
    """Write a file in one step: whoever looks sees the old one, or all of the new one, whatever happens between."""
    try:
        path = Path(name)
        if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced
            path.write_text(content, encoding="utf-8", newline="")
            return
        _replace(path.resolve(), content.encode())
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise Usage(f"`{safe(name)}`: {reason}; give a file that can be written") from None
    except ValueError:  # a NUL in a name
        raise Usage("the file's name is not one; give a file that can be written") from None


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}.new")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink()
