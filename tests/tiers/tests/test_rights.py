"""What root may do to files, and what it may no longer do."""

import os
import subprocess
import sys


def opens(path, mode="r"):
    """How opening the file ends: the name of the error, or nothing."""
    try:
        path.open(mode).close()
    except OSError as error:
        return type(error).__name__
    return ""


def test_work_without_privileges_obeys_modes_and_keeps_what_belongs_to_it(unprivileged, tmp_path):
    secret, readable, closed = (tmp_path / name for name in ("secret", "readable", "closed"))
    secret.write_text("s")
    secret.chmod(0)
    readable.write_text("r")
    readable.chmod(0o400)
    closed.mkdir()
    (closed / "within").touch()
    closed.chmod(0)

    try:
        told = unprivileged(
            lambda: [opens(secret), opens(readable), opens(readable, "a"), opens(closed / "within"), opens(tmp_path / "n", "w")]
        )
    finally:
        closed.chmod(0o700)

    assert told == ["PermissionError", "", "PermissionError", "PermissionError", ""]
    assert (tmp_path / "n").stat().st_uid == os.geteuid()


def test_what_is_started_there_obeys_too(unprivileged, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0)

    def start():
        done = subprocess.run([sys.executable, "-c", "import sys; open(sys.argv[1])", secret], capture_output=True, text=True, check=False)
        return done.stderr.splitlines()[-1]

    assert unprivileged(start).startswith("PermissionError")


def test_the_tests_themselves_keep_their_rights(unprivileged, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0)
    before = opens(secret)

    assert unprivileged(lambda: opens(secret)) == "PermissionError"
    assert opens(secret) == before
