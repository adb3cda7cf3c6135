"""Random flows as trees of blocks: what the graph, the source text and the tasks of a run must be follows from the tree alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import strategies as st

from headrace_hookspecs import FlowGraph, Outcome, Source, StepNode, Switch, task_id


class Block(NamedTuple):
    """`kind` is step, loop, split, foreach or switch; `bodies` are its branches, the one body, or the alternatives. All bodies hold blocks."""

    kind: str
    bodies: tuple[tuple[Block, ...], ...] = ()


def _blocks(depth: int) -> st.SearchStrategy[Block]:
    leaf = st.sampled_from([Block("step"), Block("step"), Block("loop")])
    if not depth:
        return leaf
    # a loop is a switch, and may not be the last before a join
    body = st.lists(_blocks(depth - 1), min_size=1, max_size=2).map(
        lambda found: (*found, Block("step")) if found[-1].kind == "loop" else tuple(found)
    )
    bodies = st.lists(body, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        leaf,
        bodies.map(lambda found: Block("split", found)),
        bodies.map(lambda found: Block("switch", found)),
        body.map(lambda found: Block("foreach", (found,))),
    )


TREES = st.lists(_blocks(2), max_size=3).map(tuple)
"""The blocks between start and end."""


class Flow:
    """The steps of a tree. `run` simulates a run and notes, for every task, which tasks came before it, in the order that inputs have."""

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self.steps: dict[str, StepNode] = {}
        self._serial = 0
        self._plan: dict[str, Block] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        entry = self._chain(blocks, "end")
        first = {"start": self._node("start", "linear", (entry,))}
        self.steps = {**first, **self.steps, "end": self._node("end", "end", ())}

    def graph(self) -> FlowGraph:
        """Not analysed yet."""
        return FlowGraph(name="F", steps=self.steps, start="start", end="end", source=Source("flow.py", 1))

    def source(self) -> str:
        """The flow as a user would write it."""
        lines = ["class F(FlowSpec):"]
        for node in self.steps.values():
            lines += ["    @step", f"    def {node.name}(self{', inputs' if node.takes_inputs else ''}):"]
            targets = ", ".join(f"self.{name}" for name in node.next)
            if node.switch is not None:
                cases = ", ".join(f"{value!r}: self.{name}" for value, name in node.switch.cases)
                lines.append(f"        self.next({{{cases}}}, condition={node.switch.condition!r})")
            elif node.kind == "foreach":
                lines.append(f"        self.next({targets}, foreach={node.foreach!r})")
            else:
                lines.append(f"        self.next({targets})" if targets else "        pass")
        return "\n".join(lines) + "\n"

    def run(self, seed: int) -> Iterator[tuple[str, tuple[int, ...], int | None, list[tuple[str, str]]]]:
        """(step, indices, visit, inputs) of every task of a random run, in an order in which it could run. Fills `outcomes`."""
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self._random = random.Random(seed)
        yield from self._task("start", (), None, [])
        last = yield from self._walk(self._top, (), [("start", "0")])
        yield from self._task("end", (), None, last)

    # building: from the back, so that every block knows what follows it

    def _name(self) -> str:
        self._serial += 1
        return f"s{self._serial}"

    def _node(self, name: str, kind: str, targets: tuple[str, ...], **more: object) -> StepNode:
        number = self._serial + 2
        return StepNode(name=name, kind=kind, next=targets, source=Source("flow.py", number), next_source=Source("flow.py", number), **more)  # type: ignore[arg-type]

    def _chain(self, blocks: tuple[Block, ...], after: str) -> str:
        """Add the steps of `blocks`, which lead to `after`; the name of the first."""
        laid: list[tuple[Block, tuple[str, ...], tuple[object, ...]]] = []
        for block in reversed(blocks):
            after, names, inner = self._lay(block, after)
            laid.insert(0, (block, names, inner))
        self._top = tuple(laid)
        return after

    def _lay(self, block: Block, after: str) -> tuple[str, tuple[str, ...], tuple[object, ...]]:
        name = self._name()
        if block.kind == "step":
            self.steps[name] = self._node(name, "linear", (after,))
            return name, (name,), ()
        if block.kind == "loop":
            switch = Switch("more", ((True, name), (False, after)))
            self.steps[name] = self._node(name, "switch", (name, after), switch=switch)
            return name, (name,), ()
        join = self._name() if block.kind != "switch" else ""
        if join:
            self.steps[join] = self._node(join, "join", (after,), takes_inputs=True)
        heads, inner = [], []
        for body in block.bodies:
            heads.append(self._chain(body, join or after))
            inner.append(self._top)
        if block.kind == "switch":
            switch = Switch("kind", tuple(enumerate(heads)))
            self.steps[name] = self._node(name, "switch", tuple(heads), switch=switch)
        elif block.kind == "split":
            self.steps[name] = self._node(name, "split", tuple(heads))
        else:
            self.steps[name] = self._node(name, "foreach", tuple(heads), foreach="items")
        return name, (name, join), tuple(inner)

    # running: each method gives the tasks that whatever follows takes its inputs from

    def _task(
        self, step: str, indices: tuple[int, ...], visit: int | None, inputs: list[tuple[str, str]], size: int | None = None, to: str = ""
    ):
        yield step, indices, visit, inputs
        targets = (to,) if to else self.steps[step].next
        self.outcomes[step, task_id(indices, visit)] = Outcome("succeeded", targets, size)

    def _walk(self, laid: tuple, indices: tuple[int, ...], inputs: list[tuple[str, str]]):
        for block, names, inner in laid:
            name, join = names[0], names[-1]
            me = [(name, task_id(indices))]
            if block.kind == "step":
                yield from self._task(name, indices, None, inputs)
                inputs = me
            elif block.kind == "loop":
                visits = self._random.choice((1, 2, 5))
                for visit in range(visits):
                    again = visit + 1 < visits
                    yield from self._task(name, indices, visit, inputs, to=name if again else self.steps[name].next[1])
                    inputs = [(name, task_id(indices, visit))]
            elif block.kind == "switch":
                chosen = self._random.randrange(len(inner))
                yield from self._task(name, indices, None, inputs, to=self.steps[name].next[chosen])
                inputs = yield from self._walk(inner[chosen], indices, me)
            elif block.kind == "split":
                yield from self._task(name, indices, None, inputs)
                ends = []
                for body in inner:
                    ends += yield from self._walk(body, indices, me)
                yield from self._task(join, indices, None, ends)
                inputs = [(join, task_id(indices))]
            else:
                size = self._random.choice((1, 2, 3))
                yield from self._task(name, indices, None, inputs, size=size)
                ends = []
                for index in range(size):
                    ends += yield from self._walk(inner[0], (*indices, index), me)
                yield from self._task(join, indices, None, ends)
                inputs = [(join, task_id(indices))]
        return inputs
