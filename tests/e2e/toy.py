"""Installs the toy engine where only one test looks, and executes what it compiles: one process a task, in order, as a cluster would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from headrace_hookspecs import FlowGraph

SOURCE = Path(__file__).parent / "toyengine" / "toyengine.py"
FLOW = str(Path(sys.executable).parent / "flow")


class Toy(NamedTuple):
    """`folder` holds the flow, `installed` the plugin, `store` the datastore."""

    folder: Path
    installed: Path
    store: Path

    @classmethod
    def make(cls, tmp_path: Path) -> Toy:
        """Install the plugin below `tmp_path`."""
        toy = cls(tmp_path / "author", tmp_path / "installed", tmp_path / "store")
        toy.folder.mkdir()
        info = toy.installed / "toyengine-1.0.dist-info"
        info.mkdir(parents=True)
        shutil.copy(SOURCE, toy.installed)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toyengine\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[headrace.orchestrator]\ntoy = toyengine:engine\n[headrace.datastore]\nshared = toyengine:datastore\n"
        )
        (toy.folder / "headrace.toml").write_text(f'[datastore]\nname = "shared"\n[datastore.shared]\nroot = "{toy.store}"\n')
        return toy

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
        return {**kept, "PYTHONPATH": str(self.installed), **more}

    def flow(self, *words: str, cwd: Path | None = None, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Call `flow` in the author's folder."""
        done = subprocess.run(
            [FLOW, *words], cwd=cwd or self.folder, env=self.environ(), capture_output=True, encoding="utf-8", timeout=120
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def deploy(self, *words: str) -> dict[str, Any]:
        """Deploy to the toy engine; the manifest."""
        manifest: dict[str, Any] = json.loads(self.flow("deploy", *words, "--to", "toy", "--manifest", "-").stdout)
        return manifest


class Cluster(NamedTuple):
    """Makes tasks of a manifest, each in an empty folder. `run` is the run's id."""

    toy: Toy
    manifest: Mapping[str, Any]
    run: str
    folder: Path

    def task(self, step: str, **slots: str) -> tuple[subprocess.CompletedProcess[str], Path]:
        """Make one attempt; its process, and the folder in which it reported."""
        place = self.folder / f"{step}-{slots.get('INDEX', '')}-{slots.get('ATTEMPT', '0')}-{slots.get('MODE', '')}"
        for name in ("work", "home", "tmp", "report"):
            (place / name).mkdir(parents=True)
        spec = self.manifest["steps"][step]
        env = {"HEADRACE_RUN": f"{self.manifest['flow']}/{self.run}", "HEADRACE_REPORT": str(place / "report"), **spec["env"]}
        env.update({f"HEADRACE_{name}": value for name, value in slots.items()})
        env.update({"HOME": str(place / "home"), "TMPDIR": str(place / "tmp"), "PYTHONPATH": str(self.toy.installed)})
        argv = [sys.executable if word == "python" else word for word in spec["argv"]]
        done = subprocess.run(
            argv, cwd=place / "work", env={"PATH": os.environ["PATH"], **env}, capture_output=True, encoding="utf-8", timeout=120
        )
        assert not list((place / "tmp").iterdir()), "the task left something behind"
        return done, place / "report"

    def ended(self, status: str) -> None:
        """Tell of the end of the run, as an exit handler does."""
        env = {"HEADRACE_RUN": f"{self.manifest['flow']}/{self.run}", "HEADRACE_STATUS": status, **self.manifest["exit"]}
        done = subprocess.run([sys.executable, "-m", "headrace.task"], env=self.toy.environ(**env), capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr

    def execute(self, graph: FlowGraph, parameters: Mapping[str, str] | None = None) -> list[str]:
        """Run everything from the start; what was executed, as step/index. Stops at the first task that fails for good."""
        done: list[str] = []
        waiting: list[tuple[str, tuple[int, ...]]] = [(graph.start, ())]
        arrived: dict[tuple[str, tuple[int, ...]], int] = {}
        while waiting:
            step, index = waiting.pop(0)
            node = graph.steps[step]
            slots = {"INDEX": ".".join(map(str, index))} if index else {}
            if step == graph.start and parameters is not None:
                slots["PARAMETERS"] = json.dumps([{"name": name, "value": value} for name, value in parameters.items()])
            times = node.retry.times if node.retry else 0
            for attempt in range(times + 1):
                made, report = self.task(step, **slots, **({"ATTEMPT": str(attempt)} if attempt else {}))
                done.append(f"{step}/{'.'.join(map(str, index)) or 0}:{made.returncode}")
                if made.returncode in (0, 202):
                    break
            if made.returncode:
                print(made.stdout, made.stderr)
                self.ended("Failed")
                return done
            following = (report / "next").read_text().split()
            size = (report / "size").read_text()
            for name in following:
                inner = index[: graph.steps[name].foreach_depth]
                if node.kind == "foreach":
                    waiting += [(name, (*index, number)) for number in range(int(size))]
                    arrived[graph.steps[step].matching_join or "", index] = int(size)
                elif graph.steps[name].closes is not None:
                    split = graph.steps[graph.steps[name].closes or ""]
                    expected = len(split.next) if split.kind != "foreach" else arrived[name, inner]
                    arrived[f"in {name}", inner] = arrived.get((f"in {name}", inner), 0) + 1
                    if arrived[f"in {name}", inner] == expected:
                        waiting.append((name, inner))
                else:
                    waiting.append((name, index))
        return done
