"""`make demo`: runs the penguins flow as a user would, then prints the commands with which to look at what it kept."""

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = "docs/tutorials/01-penguins"
FLOW = ".venv/bin/flow"
LOOKS = {
    "list PenguinsFlow/latest": "the tasks of this run",
    "dump PenguinsFlow/latest/end": "what its last step kept",
    "logs PenguinsFlow/latest/evaluate": "what its models said",
}


def main() -> int:
    """The exit status of the run."""
    status = subprocess.call([FLOW, "run", f"{FOLDER}/penguins.py"], cwd=ROOT)
    if status == 0:
        print("\nTo look at what this run kept:")
        for arguments, meaning in LOOKS.items():
            command = shlex.join([FLOW, *arguments.split(), "--directory", FOLDER])
            print(f"  {command:<88}  # {meaning}")
    return status


if __name__ == "__main__":
    sys.exit(main())
