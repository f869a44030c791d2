"""A mailer that puts each message into a folder as an `.eml` file: for trying things out, and to look at what is sent.

A file appears whole or not at all. The same message again finds its file and is done, so it is de-duplicated for as
long as the files are left where they are.
"""

import errno
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import final

from attrs import frozen

from enrolpolicy.addresses import mailbox
from enrolpolicy.ports import FOR_EVER, Done, MailerCapabilities, Message, Refused, Unknown

ID_CONFLICT = "id-conflict"
_AS_IT_IS = re.compile(r"[0-9a-f]{32}")
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@final
@frozen
class EmlFolder:
    """A folder of `.eml` files, made when the first message is sent.

    `send` refuses other bytes under an id that was used before (`id-conflict`), and everything where the folder cannot
    be written (`folder-ENOSPC`, `folder-EACCES`). A process killed meanwhile may leave a file that ends in `.tmp`,
    which nothing reads.
    """

    folder: Path

    @property
    def capabilities(self) -> MailerCapabilities:
        """What this mailer can do."""
        return MailerCapabilities(deduplicates_for=FOR_EVER)

    def path(self, message_id: str) -> Path:
        """Where a message is put: under its id, or a hash of the id where that is no safe name."""
        if _AS_IT_IS.fullmatch(message_id):
            return self.folder / f"{message_id}.eml"
        return self.folder / f"id-{hashlib.sha256(message_id.encode(errors='backslashreplace')).hexdigest()[:40]}.eml"

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        """Write one message, unless it is there already."""
        if mailbox(message.recipient) is None:
            return Refused("bad-address")
        target = self.path(message.message_id)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if (there := _compared(target, message.content)) is not None:
                return _settled(there, self.folder)
            written = _written(self.folder, message.content)
        except OSError as error:
            return _refused(error)
        try:
            return _settled(_published(written, target, message.content), self.folder)
        finally:
            written.unlink(missing_ok=True)


def _compared(target: Path, content: bytes) -> Done[None] | Refused | None:
    try:
        there = target.read_bytes()
    except FileNotFoundError:
        return None
    return Done(None) if there == content else Refused(ID_CONFLICT)


def _written(folder: Path, content: bytes) -> Path:
    """The content under a name of its own, on the disk."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _published(written: Path, target: Path, content: bytes) -> Done[None] | Refused:
    """The file under its final name, which is never written over, whoever else is at it."""
    try:
        os.link(written, target)
    except FileExistsError:
        return _compared(target, content) or Refused("folder-changed", final=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            return _refused(error)
        written.replace(target)  # no links on this file system: the last of two processes wins
    return Done(None)


def _settled(answer: Done[None] | Refused, folder: Path) -> Done[None] | Refused | Unknown:
    """Done once the folder is on the disk as well; whoever put the file there may not have come that far."""
    try:
        if isinstance(answer, Done):
            _sync(folder)
    except OSError as error:
        return Unknown(f"folder-{_name(error)}")
    return answer


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return  # a folder cannot be opened there
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(error: OSError) -> Refused:
    return Refused(f"folder-{_name(error)}", final=False, everything=True)


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "unknown")
