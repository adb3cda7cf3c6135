"""The plan sequence, the same for run and deploy and never going back: from the user's graph to one in which every step says how it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from headrace_hookspecs.capabilities import Capability
from headrace_hookspecs.decorators import PlanContext
from headrace_hookspecs.errors import FlowDefinitionError, GraphError, MissingCapabilityError, UsageError
from headrace_hookspecs.ir import FlowGraph, StepNode

from .decorators import attach, blame, build_decorators, build_flow_decorators, normal

if TYPE_CHECKING:
    from headrace_hookspecs.diagnostics import Diagnostic
    from headrace_hookspecs.environments import RuntimeClosure
    from headrace_hookspecs.launcher import Launcher
    from headrace_hookspecs.orchestrator import Orchestrator

    from ..dsl.load import LoadedFlow
    from ..host.manager import PluginManager
    from ..project import Project


class Plan(NamedTuple):
    """A graph that is ready to run: its workloads rendered, the launcher of each step by name, and what policies had to say."""

    graph: FlowGraph
    launchers: Mapping[str, Launcher]
    launcher_of: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...] = ()


def make_plan(
    loaded: LoadedFlow,
    project: Project,
    *,
    manager: PluginManager,
    graph: FlowGraph | None = None,
    with_specs: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    launchers: MutableMapping[str, Launcher] | None = None,
    closure: Callable[[], RuntimeClosure] | None = None,
    engine: tuple[str, Orchestrator] | None = None,
) -> Plan:
    """Plan a flow. Raises the first error of each stage, with file, line and step, before anything runs.

    `graph` is the flow's own graph where it has been built and checked already, `launchers` those that have been made; more are added to it as steps
    ask for them. `options` are values for the options of flow decorators. `closure` locks what every task needs, for steps that name an
    environment. `engine` is the orchestrator that the flow is deployed to, by name; None plans a run from here.
    """
    if graph is None:
        from ..dsl.build import build_graph
        from ..graph.lint import check

        graph = build_graph(loaded.cls)
        check(graph)
    config, registry = project.config, project.registry
    specs = [*with_specs, *config.get("run.with", ())]
    if specs:
        from .with_specs import parse_with

        graph = attach(graph, [parse_with(spec) for spec in specs], registry)
    graph = normal(graph, registry)
    deploying = engine is not None
    if engine is not None:
        from .deploying import check_engine, place

        graph = place(graph, engine[1])
    if manager.implements("headrace_graph_transform"):
        graph = normal(_transform(graph, deploying, config.data, manager), registry)

    target = str(config.get("launcher.name")) if engine is None else engine[0]
    context = PlanContext(graph, target, deploying, config.data, _user())
    graph = _plan_flow(graph, project, options or {}, context)
    context = context._replace(graph=graph)
    steps = {name: _plan_step(step, project, context) for name, step in graph.steps.items()}
    for step in steps.values():
        _check_attempts(step, int(config.get("limits.attempts")))
    steps = {name: _resolve(step, project, closure) if step.environment else step for name, step in steps.items()}

    made = {} if launchers is None else launchers
    launcher_of = {name: step.compute.provider if step.compute else target for name, step in steps.items()}
    for name in dict.fromkeys(launcher_of.values()):
        if name not in made:
            made[name] = project.launcher(name)
        manager.register(registry.load("headrace.launcher", name), f"launcher.{name}")
    _check_capabilities(steps, made, launcher_of)
    steps = {name: _render(step, made[launcher_of[name]]) for name, step in steps.items()}
    graph = attrs.evolve(graph, steps=steps)
    if engine is not None:
        check_engine(graph, engine[1], engine[0])
    return Plan(graph, made, launcher_of, _judge(graph, target, deploying, config.data, manager))


def for_run(plan: Plan, run: str, manager: PluginManager) -> Plan:
    """The plan with what `headrace_task_environment` adds to each step of the run `run`, below what the step's decorators say."""
    if not manager.implements("headrace_task_environment"):
        return plan
    from headrace_hookspecs.hooks import TaskEnvironmentRequest

    def extend(step: StepNode) -> StepNode:
        added = manager.task_environment(TaskEnvironmentRequest(plan.graph.name, run, step.name, plan.graph))
        return attrs.evolve(step, env={**added, **step.env})

    steps = {name: extend(step) for name, step in plan.graph.steps.items()}
    _check_capabilities(steps, plan.launchers, plan.launcher_of)
    steps = {name: _render(step, plan.launchers[plan.launcher_of[name]]) for name, step in steps.items()}
    return plan._replace(graph=attrs.evolve(plan.graph, steps=steps))


def _transform(graph: FlowGraph, deploying: bool, config: Mapping[str, Any], manager: PluginManager) -> FlowGraph:
    from headrace_hookspecs.hooks import GraphTransformRequest

    from ..graph.analysis import analyse
    from ..graph.lint import check

    changed = manager.graph_transform(GraphTransformRequest(graph, deploying, config), lambda graph: check(analyse(graph)))
    return analyse(changed)


def _plan_flow(graph: FlowGraph, project: Project, given: Mapping[str, Any], context: PlanContext) -> FlowGraph:
    from .structure import fit, unknown

    kinds = {"str": str, "int": int, "float": float, "bool": bool}
    made = list(zip(graph.decorators, build_flow_decorators(graph, project.registry), strict=True))
    declared = [option for _, one in made if hasattr(one, "options") for option in one.options()]
    names = [option.name for option in declared]
    for name in given:
        if name not in names:
            raise UsageError(f"The flow has no option --{name}.", remedy=unknown((name,), names).remedy, code="option-unknown")
    values = {}
    for option in declared:
        values[option.name] = option.default
        if given.get(option.name) is not None:
            values[option.name], problems = fit(given[option.name], kinds[option.type])
            if problems:
                raise UsageError(f"--{option.name} {problems[0].message}.", code="option-invalid")
    for use, one in made:
        if hasattr(one, "plan"):
            with blame(use, None):
                graph = _answer(one.plan(graph, values, context._replace(graph=graph)), FlowGraph)
    return graph


def _plan_step(step: StepNode, project: Project, context: PlanContext) -> StepNode:
    for use, one in zip(step.decorators, build_decorators(step, project.registry), strict=True):
        if hasattr(one, "plan"):
            with blame(use, step.name):
                step = _answer(one.plan(step, context), StepNode)
    return step


def _check_attempts(step: StepNode, most: int) -> None:
    """A limit that would be reached silently is refused where it was written."""
    if step.retry is not None and step.retry.times + 1 > most:
        raise FlowDefinitionError(
            f"Step {step.name!r} may be retried {step.retry.times} times, which is more than {most} attempts in all.",
            **_at(step),
            remedy="Lower `times`, or raise limits.attempts.",
            code="retry-too-many",
        )


def _answer(result: Any, kind: type[Any]) -> Any:
    if not isinstance(result, kind):
        raise TypeError(f"plan answered {type(result).__name__} instead of {kind.__name__}")
    return result


def _resolve(step: StepNode, project: Project, closure: Callable[[], RuntimeClosure] | None) -> StepNode:
    wanted = dict(step.environment or {})
    name = wanted.get("provider")
    if not isinstance(name, str):
        raise FlowDefinitionError("The step's environment names no provider.", **_at(step), code="environment-invalid")
    if closure is None:
        raise MissingCapabilityError(f"The step asks for an environment of {name!r}, which cannot be locked for this command.", **_at(step))
    resolved = project.environment(name).resolve(step, closure())
    return attrs.evolve(step, environment={**wanted, "id": resolved.id, "lock": dict(resolved.lock)})


def _needs(step: StepNode) -> dict[Capability, str]:
    """What the step needs of the launcher itself. Branches, fan-outs, recursion and retries are the scheduler's, whatever the launcher."""
    needs = {}
    if step.gang:
        needs[Capability.GANG] = "runs as several nodes at once (num_parallel)"
    if step.env:
        needs[Capability.ENVIRONMENT] = "sets environment variables"
    if step.environment:
        needs[Capability.ENVIRONMENT] = "needs an environment of its own"
    return needs


def _check_capabilities(steps: Mapping[str, StepNode], launchers: Mapping[str, Launcher], launcher_of: Mapping[str, str]) -> None:
    missing = [
        (step, f"step {name} {why}, which needs the capability {need} that the launcher {launcher_of[name]!r} does not have")
        for name, step in steps.items()
        for need, why in _needs(step).items()
        if need not in launchers[launcher_of[name]].capabilities
    ]
    if missing:
        lines = [f"{text} ({step.source.file}:{step.source.line})" if step.source else text for step, text in missing]
        raise MissingCapabilityError(
            "The flow needs what its launchers cannot do:\n" + "\n".join(f"  - {line}" for line in lines),
            **_at(missing[0][0]),
            remedy="Choose another with -o launcher.name=NAME; `flow plugins` lists what is installed.",
        )


def _render(step: StepNode, launcher: Launcher) -> StepNode:
    try:
        return attrs.evolve(step, workload=launcher.render(step))
    except MissingCapabilityError as error:
        if error.step is None:
            error.file, error.line, error.step = _at(step).values()
        raise


def _judge(graph: FlowGraph, target: str, deploying: bool, config: Mapping[str, Any], manager: PluginManager) -> tuple[Diagnostic, ...]:
    if not manager.implements("headrace_graph_check"):
        return ()
    from headrace_hookspecs.hooks import GraphCheckRequest

    found = manager.graph_check(GraphCheckRequest(graph, target, deploying, config))
    errors = [finding for finding in found if finding.severity == "error"]
    if not errors:
        return tuple(found)
    first, more = errors[0], [f"  - {error.message}" + (f" (step {error.step})" if error.step else "") for error in errors[1:]]
    raise GraphError(
        "\n".join([first.message, *more]),
        file=first.source.file if first.source else None,
        line=first.source.line if first.source else None,
        step=first.step,
        remedy=first.remedy,
        code=first.code,
    )


def _at(step: StepNode) -> dict[str, Any]:
    return {"file": step.source and step.source.file, "line": step.source and step.source.line, "step": step.name}


def _user() -> str:
    from ..run.record import user_name

    return user_name(os.environ)
