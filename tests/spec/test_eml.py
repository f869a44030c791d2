"""Mail into a folder: one file for each message, whole or not there, the same one again left alone."""

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy.adapters.eml import EmlFolder
from enrolpolicy.ports import FOR_EVER, Done, Message, Refused, Unknown

ID = "ab" * 16


def message(content: bytes = b"Subject: s\r\n\r\nx\r\n", id: str = ID) -> Message:
    return Message(message_id=id, recipient="ana@acme.example", content=content)


def failing(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise OSError(code, os.strerror(code), "/a/path/with/ana@acme.example")

    return fail


class TestOneFile:
    """A message is one file with its bytes, under its id; nothing else stays in the folder."""

    def test_it_is_written(self, tmp_path: Path) -> None:
        folder = EmlFolder(tmp_path / "new" / "folder")
        assert folder.send(message()) == Done(None)
        assert [(file.name, file.read_bytes()) for file in folder.folder.iterdir()] == [
            (f"{ID}.eml", message().content)
        ]
        assert folder.path(ID).exists()

    def test_the_same_again(self, tmp_path: Path) -> None:
        folder = EmlFolder(tmp_path)
        assert folder.capabilities.deduplicates_for == FOR_EVER
        assert [folder.send(message()) for _ in range(3)] == [Done(None)] * 3
        assert EmlFolder(tmp_path).send(message()) == Done(None)
        [file] = tmp_path.iterdir()
        assert file.stat().st_nlink == 1

    def test_other_bytes_under_the_id(self, tmp_path: Path) -> None:
        folder = EmlFolder(tmp_path)
        folder.send(message())
        assert folder.send(message(b"other")) == Refused("id-conflict")
        assert folder.path(ID).read_bytes() == message().content

    def test_many_at_once(self, tmp_path: Path) -> None:
        """Of two messages under one id one wins, whole, and the other is told so."""
        folder = EmlFolder(tmp_path)
        contents = [bytes([65 + n % 2]) * 50_000 for n in range(40)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda content: folder.send(message(content)), contents))
        [file] = tmp_path.iterdir()
        winner = file.read_bytes()
        assert winner in contents
        for content, answer in zip(contents, answers, strict=True):
            assert answer == (Done(None) if content == winner else Refused("id-conflict"))

    @pytest.mark.parametrize(
        "recipient", ["", "ana", "a@b.example, c@d.example", "ana@acme.example\r\nBcc: x@y.example"]
    )
    def test_no_mailbox_or_several(self, tmp_path: Path, recipient: str) -> None:
        letter = Message(message_id=ID, recipient=recipient, content=b"x")
        assert EmlFolder(tmp_path / "mail").send(letter) == Refused("bad-address")
        assert list(tmp_path.iterdir()) == []


class TestItsName:
    """Any id names a file inside the folder, two ids never the same one, whatever a file system makes of names."""

    @given(st.text(max_size=80), st.text(max_size=80))
    def test_any_ids(self, one: str, other: str) -> None:
        folder = EmlFolder(Path("/mail"))
        for id in (one, other, "../x", "/etc/passwd", "A" * 32, "a" * 32, "x" * 999, "\x00", "\ud800", ""):
            path = folder.path(id)
            assert path.parent == folder.folder
            assert path.name.isascii()
            assert path.name == path.name.lower()
            assert path.suffix == ".eml"
            assert len(path.name) < 60
        assert (folder.path(one) == folder.path(other)) == (one == other)

    def test_a_host_s_own_ids(self, tmp_path: Path) -> None:
        folder = EmlFolder(tmp_path)
        assert folder.send(message(id="invite/7@acme")) == Done(None)
        assert folder.path("invite/7@acme").read_bytes() == message().content


class TestWhatCannotBeWritten:
    """A folder that is full, cannot be written or is none refuses everything, for now, by the system's name for it."""

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
    @pytest.mark.parametrize("call", ["os.fsync", "os.link", "tempfile.mkstemp", "pathlib.Path.mkdir"])
    def test_at_every_call(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, call: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(call, failing(code))
            answer = EmlFolder(tmp_path).send(message())
        assert answer == Refused(f"folder-{errno.errorcode[code]}", final=False, everything=True)
        assert list(tmp_path.iterdir()) == []
        assert EmlFolder(tmp_path).send(message()) == Done(None)

    def test_a_file_where_the_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "mail").write_text("x")
        answer = EmlFolder(tmp_path / "mail").send(message())
        assert answer == Refused("folder-EEXIST", final=False, everything=True)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
    def test_a_disk_that_is_full(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "full.tmp").symlink_to("/dev/full")
        opened = os.open(tmp_path / "full.tmp", os.O_WRONLY)
        monkeypatch.setattr("tempfile.mkstemp", lambda **_: (opened, str(tmp_path / "full.tmp")))
        assert EmlFolder(tmp_path).send(message()) == Refused("folder-ENOSPC", final=False, everything=True)
        assert list(tmp_path.iterdir()) == []

    def test_nobody_knows_whether_the_name_was_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The file is there, and whether it survives a power cut is unknown; sending it again settles it."""
        with monkeypatch.context() as patched:
            patched.setattr("enrolpolicy.adapters.eml._sync", failing(errno.EIO))
            assert [EmlFolder(tmp_path).send(message()) for _ in range(2)] == [Unknown("folder-EIO")] * 2
        assert EmlFolder(tmp_path).send(message()) == Done(None)

    @pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
    def test_a_file_system_without_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
        monkeypatch.setattr("os.link", failing(code))
        folder = EmlFolder(tmp_path)
        assert folder.send(message()) == Done(None)
        assert [file.name for file in tmp_path.iterdir()] == [f"{ID}.eml"]
        assert folder.send(message(b"other")) == Refused("id-conflict")
