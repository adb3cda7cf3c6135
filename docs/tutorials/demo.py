"""`make demo`: runs the penguins flow as a user would, then prints the commands with which to look at what it kept."""

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

FLOW_FILE = Path("docs", "tutorials", "01-penguins", "penguins.py")
FLOW = ".venv/bin/flow"


def main() -> int:
    """The exit status of the run."""
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as scratch:
        id_file = Path(scratch, "run-id")
        status = subprocess.call([FLOW, "run", str(FLOW_FILE), "--run-id-file", str(id_file)], cwd=root)
        if status:
            return status
        run_id = id_file.read_text(encoding="utf-8").strip()
    print("\nWhat this run kept:")
    for arguments, meaning in [
        (["list", f"PenguinsFlow/{run_id}"], "the tasks of this run"),
        (["dump", f"PenguinsFlow/{run_id}/end"], "what its last step kept"),
        (["logs", f"PenguinsFlow/{run_id}"], "what its tasks printed"),
    ]:
        print(f"  {shlex.join([FLOW, *arguments]):<64}  {meaning}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
