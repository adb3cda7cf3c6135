import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

from .conftest import Run, environment
from .test_run import WAITING


class Terminal:
    """A program on a pseudo-terminal of `columns` columns, and what its screen shows."""

    def __init__(self, folder: Path, *args: str, columns: int = 80, **env: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        streams: dict[str, Any] = {"stdin": slave, "stdout": slave, "stderr": slave}
        command = [sys.executable, "-m", "headrace_cli", *args]
        self.program = subprocess.Popen(command, cwd=folder, env=environment(**{"TERM": "xterm", **env}), **streams)
        os.close(slave)
        self.text = ""

    def read_until(self, pattern: str) -> None:
        """Read until what was read matches."""
        while not re.search(pattern, self.text):
            readable, _, _ = select.select([self._master], [], [], 60)
            piece = self._read() if readable else ""
            assert piece, f"nothing more comes, and no {pattern!r}: {self.text!r}"
            self.text += piece

    def finish(self) -> int:
        """Read all the rest; the exit status."""
        while piece := self._read():
            self.text += piece
        os.close(self._master)
        return self.program.wait(60)

    def _read(self) -> str:
        try:
            return os.read(self._master, 65536).decode()
        except OSError:  # Linux says EIO once the last descriptor of the terminal is closed
            return ""

    def screen(self) -> list[str]:
        """The lines as they stand, after every return and erasure; without colours."""
        lines = [""]
        for piece in re.findall(r"\r\n|\r|\x1b\[2K|\x1b\[[\d;]*m|[^\r\x1b]+", self.text):
            if piece == "\r\n":
                lines.append("")
            elif piece == "\x1b[2K":
                lines[-1] = ""
            elif piece == "\r":
                continue
            elif not piece.startswith("\x1b"):
                lines[-1] += piece
        return lines


def test_one_status_line_lives_at_the_bottom_and_leaves_nothing_behind(folder: Path) -> None:
    (folder / "waiting.py").write_text(WAITING)
    terminal = Terminal(folder, "run", "waiting.py", "--max-workers", "2")

    terminal.read_until(r"1/4 tasks  2 running  wait")
    before = terminal.screen()
    (folder / "go").touch()
    status = terminal.finish()

    assert re.fullmatch(r"\d+:\d\d  1/4 tasks  2 running  wait", before[-1])
    assert status == 0
    screen = terminal.screen()
    assert screen[-2].endswith(" Done!")
    assert [line for line in screen if "tasks  " in line] == []
    assert sum("Task finished successfully." in line for line in screen) == 6


def test_the_status_fits_a_narrow_terminal(folder: Path) -> None:
    (folder / "waiting.py").write_text(WAITING)
    terminal = Terminal(folder, "run", "waiting.py", "--max-workers", "2", columns=24)

    terminal.read_until(r"1/4 tasks  2 run…")
    (folder / "go").touch()

    assert terminal.finish() == 0


def test_the_terminal_shows_the_traceback_once(folder: Path) -> None:
    terminal = Terminal(folder, "run", "hello.py", "--fail-at", "1")

    assert terminal.finish() == 1
    assert "\x1b[1;31m" in terminal.text
    assert sum("Traceback (most recent call last)" in line for line in terminal.screen()) == 1
    assert terminal.screen()[-2].strip().startswith("flow resume hello.py")


def test_no_color_and_dumb_terminals_are_respected(folder: Path) -> None:
    plain = Terminal(folder, "run", "hello.py", "--fail-at", "1", NO_COLOR="1")
    assert plain.finish() == 1
    assert "\x1b[1;31m" not in plain.text

    dumb = Terminal(folder, "run", "hello.py", TERM="dumb")
    assert dumb.finish() == 0
    assert "\x1b" not in dumb.text


def test_breakpoint_works_in_an_inline_run(folder: Path) -> None:
    text = (folder / "hello.py").read_text().replace("self.people = self.names", "self.people = self.names; breakpoint()")
    (folder / "hello.py").write_text(text)
    terminal = Terminal(folder, "run", "hello.py", "-o", "launcher.name=inline")

    terminal.read_until(r"\(Pdb\) ")
    os.write(terminal._master, b"p self.people + ['from pdb']\nc\n")

    assert terminal.finish() == 0
    assert "['ada', 'bob', 'from pdb']" in terminal.text
    assert "tasks  " not in terminal.text


def test_a_pipe_is_never_drawn_on(flow: Run) -> None:
    done = flow("run", "hello.py", env={"TERM": "xterm"})

    assert "\x1b" not in done.stdout + done.stderr
    assert json.loads(flow("list", "--json", env={"TERM": "xterm"}).stdout)["flows"][0]["runs"] == 1
