"""Which tasks may run next: a pure state machine over the graph and the outcomes so far. No clock, no I/O, no processes.

State is O(1) for a foreach plus its unfinished join: children are not materialised ahead, joins are counters.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from headrace_hookspecs import FlowGraph, Outcome, StepNode, task_id
from headrace_hookspecs.errors import InternalError, InvalidTransitionError

Indices = tuple[int, ...]


class Ready(NamedTuple):
    """A task that may start. `inputs` are `step/task-id` of its predecessors, None where they follow from the ids alone."""

    step: str
    indices: Indices
    visit: int | None
    inputs: tuple[str, ...] | None


class _FanOut:
    """The children of one foreach that were not handed out yet."""

    __slots__ = ("indices", "inputs", "position", "size", "step", "visit")

    def __init__(self, step: str, indices: Indices, visit: int | None, size: int, inputs: tuple[str, ...]) -> None:
        self.step = step
        self.indices = indices
        self.visit = visit
        self.size = size
        self.inputs = inputs
        self.position = 0


class _Join:
    """A join that waits: how many branches it needs, which arrived, and from which step where that can differ."""

    __slots__ = ("arrived", "count", "senders", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.count = 0
        self.arrived = bytearray((size + 7) // 8)
        self.senders: dict[int, str] = {}

    def arrive(self, branch: int) -> bool:
        """Note a branch; True if it had not arrived before."""
        byte, bit = divmod(branch, 8)
        if self.arrived[byte] >> bit & 1:
            return False
        self.arrived[byte] |= 1 << bit
        self.count += 1
        return True


class RunState:
    """The progress of one run. `take` hands out ready tasks first in, first out; `complete` is told of every committed task once."""

    def __init__(self, graph: FlowGraph) -> None:
        self.graph = graph
        self.finished = False
        self.done = 0
        self.known = 1
        self._queue: deque[Ready | _FanOut] = deque()
        self._joins: dict[tuple[str, Indices], _Join] = {}
        self._sizes: dict[tuple[str, Indices], int] = {}
        self._branch: dict[tuple[str, str], int] = {}
        start = graph.steps[graph.start]
        self._queue.append(Ready(start.name, (), 0 if start.recursive else None, ()))

    @property
    def waiting(self) -> bool:
        """Whether `take` has something."""
        return bool(self._queue)

    def take(self) -> Ready | None:
        """The next task that may start, or None."""
        if not self._queue:
            return None
        head = self._queue[0]
        if isinstance(head, Ready):
            self._queue.popleft()
            return head
        ready = Ready(head.step, (*head.indices, head.position), head.visit, head.inputs)
        head.position += 1
        if head.position == head.size:
            self._queue.popleft()
        return ready

    def complete(self, step: str, indices: Indices, visit: int | None, outcome: Outcome) -> None:
        """The task has committed `outcome`: make ready what follows from it. Raises InvalidTransitionError if the graph says otherwise."""
        node = self.graph.steps[step]
        self.done += 1
        self._check(node, outcome)
        if step == self.graph.end:
            self.finished = True
            return
        me = f"{step}/{task_id(indices, visit)}"
        for target in outcome.next:
            follower = self.graph.steps[target]
            if outcome.size is not None:
                self._sizes[step, indices] = outcome.size
                self.known += outcome.size
                first = 0 if follower.recursive else None
                self._queue.append(_FanOut(target, indices, first, outcome.size, (me,)))
            elif follower.kind == "join" or follower.closes is not None:
                self._arrive(node, follower, indices, me)
            else:
                self.known += 1
                again = visit + 1 if target == step and visit is not None else 0
                self._queue.append(Ready(target, indices, again if follower.recursive else None, (me,)))

    def _check(self, node: StepNode, outcome: Outcome) -> None:
        if node.kind == "switch":
            right = len(outcome.next) == 1 and outcome.next[0] in node.next
        else:
            right = outcome.next == node.next and (outcome.size is not None) == (node.kind == "foreach")
        if not right:
            where = node.next_source or node.source
            raise InvalidTransitionError(
                f"Step {node.name!r} should go on to {', '.join(node.next) or 'nothing'}, but went to {', '.join(outcome.next) or 'nothing'}.",
                step=node.name,
                file=where.file if where else None,
                line=where.line if where else None,
                remedy="Let the last statement of the step be the one self.next() that it calls.",
            )

    def _arrive(self, sender: StepNode, join: StepNode, indices: Indices, me: str) -> None:
        split = self.graph.steps[join.closes or ""]
        outer = indices[: join.foreach_depth]
        waiting = self._joins.get((join.name, outer))
        if waiting is None:
            size = self._sizes.get((split.name, outer)) if split.kind == "foreach" else len(split.next)
            if size is None:
                raise InternalError(f"Join {join.name!r} was reached before its split {split.name!r} finished.", step=join.name)
            waiting = self._joins[join.name, outer] = _Join(size)
            self.known += 1
        branch = indices[join.foreach_depth] if split.kind == "foreach" else self._branch_of(split, sender)
        if not waiting.arrive(branch):
            raise InternalError(f"{me} arrived twice at join {join.name!r}.", step=join.name)
        ambiguous = split.kind != "foreach" or len(join.predecessors) > 1 or sender.recursive
        if ambiguous:
            waiting.senders[branch] = me
        if waiting.count == waiting.size:
            del self._joins[join.name, outer]
            self._sizes.pop((split.name, outer), None)
            inputs = tuple(waiting.senders[i] for i in range(waiting.size)) if waiting.senders else None
            self._queue.append(Ready(join.name, outer, None, inputs))

    def _branch_of(self, split: StepNode, sender: StepNode) -> int:
        """Which branch of the static split the sender ends: the one of the split's targets that it is reached from."""
        cached = self._branch.get((split.name, sender.name))
        if cached is not None:
            return cached
        for number, target in enumerate(split.next):
            seen, stack = set[str](), [target]
            while stack:
                name = stack.pop()
                if name == sender.name:
                    self._branch[split.name, sender.name] = number
                    return number
                if name not in seen:
                    seen.add(name)
                    # the join that closes the split ends every branch
                    stack.extend(n for n in self.graph.steps[name].next if n != split.matching_join)
        raise InternalError(f"{sender.name!r} lies on no branch of {split.name!r}.", step=sender.name)
