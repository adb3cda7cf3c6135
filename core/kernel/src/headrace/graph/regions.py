"""Walks a graph once and notes which splits are open where. The common ground of analysis and lint; any graph will do, valid or not."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from headrace_hookspecs.ir import FlowGraph, StepNode

Stack = tuple[tuple[str, str], ...]
"""The open splits, outermost first, each with the branch (the split's target) that was taken."""


class Regions:
    """`order`: all steps, topologically as far as there are no cycles, ties in source order. `cyclic`: those on or behind a cycle.

    `reachable`: those reachable from the start. `arrivals`: step -> predecessor -> the stack it arrives with; loops of a step to itself are
    left out. `stacks`: step -> the stack while it runs. `closes`: join -> the split that it closes.
    """

    __slots__ = ("arrivals", "closes", "cyclic", "order", "reachable", "stacks")

    def __init__(self, graph: FlowGraph) -> None:
        steps = graph.steps
        self.reachable = reached(graph, [graph.start] if graph.start in steps else [], "")
        self.order, self.cyclic = topological(steps)
        self.arrivals: dict[str, dict[str, Stack]] = {name: {} for name in steps}
        self.stacks: dict[str, Stack] = {}
        self.closes: dict[str, str] = {}
        for name in self.order:
            node = steps[name]
            stack = next(iter(self.arrivals[name].values()), ())
            if joins(node) and stack:
                self.closes[name] = stack[-1][0]
                stack = stack[:-1]
            self.stacks[name] = stack
            if name in self.reachable:
                for target in followers(node, steps):
                    self.arrivals[target][name] = (*stack, (name, target)) if node.kind in ("split", "foreach") else stack


def joins(node: StepNode) -> bool:
    """Whether a step takes the inputs of several tasks: what else it may be is for lint to judge."""
    return node.kind == "join" or node.takes_inputs


def followers(node: StepNode, steps: Mapping[str, StepNode]) -> list[str]:
    """The steps that exist among a node's targets, without the node itself."""
    return [target for target in dict.fromkeys(node.next) if target in steps and target != node.name]


def topological(steps: Mapping[str, StepNode]) -> tuple[list[str], list[str]]:
    """All steps in topological order with ties in source order, and those of them that have none, which stand last."""
    position = {name: number for number, name in enumerate(steps)}
    names = list(steps)
    waiting = dict.fromkeys(steps, 0)
    for node in steps.values():
        for target in followers(node, steps):
            waiting[target] += 1
    ready = [position[name] for name, count in waiting.items() if not count]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for target in followers(steps[name], steps):
            waiting[target] -= 1
            if not waiting[target]:
                heapq.heappush(ready, position[target])
    cyclic = [name for name in steps if waiting[name]]
    return order + cyclic, cyclic


def reached(graph: FlowGraph, origins: Iterable[str], border: str) -> set[str]:
    """The steps that can be reached from `origins`, these included, without entering `border`."""
    found: set[str] = set()
    pending = list(origins)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(target for target in followers(graph.steps[name], graph.steps) if target != border)
    return found
