"""The command line, run where somebody looks on."""

import os
import pty
import subprocess
import sys


def on_a_terminal(*arguments: str, code: int = 0, **environment: str) -> str:
    """What a terminal is sent, with both streams on it."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "enrolpolicy", *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "NO_COLOR": "", "TERM": "xterm", **environment},
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    assert process.returncode == code
    return b"".join(parts).decode()
