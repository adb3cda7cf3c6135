"""Fills in what follows from the edges: order, predecessors, open splits, matching joins. Never refuses a graph; lint does."""

from __future__ import annotations

from attrs import evolve

from headrace_hookspecs.ir import FlowGraph, StepNode

from .regions import Regions


def analyse(graph: FlowGraph) -> FlowGraph:
    """The graph with all analysis fields computed anew. A step's loop to itself is no predecessor: `recursive` says it."""
    regions = Regions(graph)
    position = {name: number for number, name in enumerate(regions.order)}
    joins = {split: join for join, split in reversed(regions.closes.items())}

    def branch(name: str, predecessor: str) -> tuple[int, int]:
        """Predecessors of a join come in the order of the split's branches, all others as they run."""
        split = graph.steps.get(regions.closes.get(name, ""))
        stack = regions.arrivals[name].get(predecessor, ())
        taken = stack[-1][1] if stack else ""
        return (split.next.index(taken) if split is not None and taken in split.next else 0, position[predecessor])

    def fill(node: StepNode) -> StepNode:
        parents = tuple(split for split, _ in regions.stacks[node.name])
        before = regions.arrivals[node.name]
        return evolve(
            node,
            predecessors=tuple(sorted(before, key=lambda predecessor: branch(node.name, predecessor))),
            split_parents=parents,
            foreach_depth=sum(graph.steps[split].kind == "foreach" for split in parents),
            matching_join=joins.get(node.name),
            closes=regions.closes.get(node.name),
            gang=any(graph.steps[predecessor].num_parallel for predecessor in before),
            recursive=node.kind == "switch" and node.name in node.next,
        )

    return evolve(graph, steps={name: fill(node) for name, node in graph.steps.items()}, order=tuple(regions.order))
