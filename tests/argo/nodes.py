"""What a run leaves behind: a tree of nodes with phases, and questions to it. Knows nothing of how they came about."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping


class Phase(str, enum.Enum):
    """Argo's phases of a node."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    SKIPPED = "Skipped"
    OMITTED = "Omitted"

    @property
    def completed(self) -> bool:
        """It ran to an end, good or bad."""
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)

    @property
    def fulfilled(self) -> bool:
        """Nothing more will happen to it."""
        return self.completed or self in (Phase.SKIPPED, Phase.OMITTED)

    @property
    def bad(self) -> bool:
        """Failed or Error."""
        return self in (Phase.FAILED, Phase.ERROR)


@dataclasses.dataclass
class Node:
    """One node; times are seconds of the run's clock, `exit_code` is None where no container ended."""

    name: str
    display: str
    type: str
    template: str
    phase: Phase = Phase.PENDING
    message: str = ""
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    exit_code: int | None = None
    started: float = 0.0
    finished: float | None = None
    pod: str = ""
    log: str = ""
    children: list[Node] = dataclasses.field(default_factory=list)

    @property
    def attempts(self) -> list[Node]:
        """The pods of a container template, one for every time it was tried."""
        return self.children if self.type == "Retry" else [self] if self.type == "Pod" else []

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in order of their start."""
        yield self
        for each in self.children:
            yield from each.walk()

    def __str__(self) -> str:
        return f"{self.display} {self.type} {self.phase.value}{f' ({self.message})' if self.message else ''}"


@dataclasses.dataclass
class Result:
    """A workflow that has ended."""

    phase: Phase
    message: str
    root: Node
    exit_handler: Node | None = None

    @property
    def nodes(self) -> list[Node]:
        """All nodes, the exit handler's last."""
        return [*self.root.walk(), *(self.exit_handler.walk() if self.exit_handler else ())]

    def node(self, path: str) -> Node:
        """The node at a path below the workflow's name, such as `work(1:b).fit`. Raises LookupError naming those that are there."""
        wanted = f"{self.root.name}.{path}" if path else self.root.name
        for each in self.nodes:
            if each.name == wanted:
                return each
        raise LookupError(f"no node {wanted!r}; there are {', '.join(each.name for each in self.nodes)}")

    def phases(self) -> dict[str, str]:
        """Path of every node below the root to its phase."""
        start = len(self.root.name) + 1
        return {each.name[start:]: each.phase.value for each in self.root.walk() if each is not self.root}

    def pods(self) -> list[Node]:
        """The nodes of all pods, attempts included."""
        return [each for each in self.nodes if each.type == "Pod"]

    def describe(self) -> str:
        """The tree as text, with what failed pods printed: for the message of an assertion."""
        lines = [f"{self.phase.value} {self.message}".rstrip()]

        def add(node: Node, depth: int) -> None:
            lines.append("  " * depth + str(node))
            if node.phase.bad and node.log:
                lines.extend("  " * depth + "  | " + line for line in node.log.splitlines())
            for each in node.children:
                add(each, depth + 1)

        for top in (self.root, self.exit_handler):
            if top is not None:
                add(top, 1)
        return "\n".join(lines)
