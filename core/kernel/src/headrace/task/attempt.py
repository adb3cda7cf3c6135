"""One attempt: look for a commit, run the user's step inside its decorators, store what it assigned, commit once, say what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from headrace_hookspecs import Failure, Outcome, TaskSpec, decide
from headrace_hookspecs.errors import HeadraceError, InternalError, InvalidTransitionError, SerializationError, StoreError

from . import current
from .channel import Channel
from .context import Context
from .failure import failure_of
from .lineage import Lineage
from .persist import Persister
from .state import TaskState

if TYPE_CHECKING:
    from .runtime import Runtime


class Attempt:
    """One attempt of one task in this process. `runtime` holds everything that all attempts of the run share."""

    def __init__(self, runtime: Runtime, spec: TaskSpec, channel: Channel) -> None:
        self.runtime = runtime
        self.spec = spec
        self.channel = channel
        self.node = runtime.graph.steps[spec.step]
        self.store = runtime.open_store(spec.run)

    def run(self) -> Outcome:
        """Make the attempt. Whatever happens ends as an Outcome that is stored; only a broken store raises."""
        spec, runtime = self.spec, self.runtime
        if spec.attempt > 0 or not runtime.scheduled:
            done = self.store.read_commit(spec.step, spec.task)
            if done is not None:
                return self._report(done.outcome)
        started = time.time()
        persister = Persister(self.store, runtime.serializers, runtime.limits, spec, started, self.channel)
        decorators: list[Any] = []
        state: TaskState | None = None
        context: Context | None = None
        try:
            lineage = Lineage(runtime.graph, spec, self.store, runtime.serializers, runtime.parameters, runtime.cls)
            flow = runtime.cls(use_cli=False)
            state = TaskState(flow, lineage, runtime.parameters)
            flow._headrace = state
            context = Context(spec, runtime.graph, runtime.record, state, self.channel)
            current.activate(context)
            if spec.mode == "absorb":
                last = Failure.from_json(dict(spec.failures[-1])) if spec.failures else Failure("lost")
                outcome = self._absorb(state, last)
            else:
                decorators = runtime.decorators(spec.step)
                outcome = self._execute(state, context, decorators)
            outcome = persister.commit(state, context, outcome)
        except StoreError:
            raise
        except BaseException as error:  # noqa: BLE001 - user code may raise anything, and all of it is an outcome
            outcome = self._failed(error, persister, state, context, decorators)
        self._report(outcome)
        for decorator in decorators:
            after = getattr(decorator, "after", None)
            if after is not None and context is not None:
                self._guard(lambda after=after: after(context, outcome))  # type: ignore[misc]
        if context is not None:
            context.close()
        current.activate(None)
        return outcome

    def _execute(self, state: TaskState, context: Context, decorators: list[Any]) -> Outcome:
        def kernel() -> Outcome:
            with ExitStack() as stack:
                body = _Body()
                for decorator in [*self.runtime.flow_decorators, *decorators]:
                    if hasattr(decorator, "around"):
                        stack.enter_context(decorator.around(context))
                stack.enter_context(body)
                step = getattr(state.flow, self.spec.step)
                if self.node.takes_inputs:
                    step(state.inputs)
                else:
                    step()
                body.finished = True
            if not body.finished:
                raise InternalError(f"A decorator of step {self.spec.step!r} swallowed {body.error!r}.", code="exception-swallowed")
            return self._transitioned(state)

        return self.runtime.execute(context, kernel)

    def _transitioned(self, state: TaskState) -> Outcome:
        chosen = state.chosen
        if chosen is None:
            if self.spec.step != self.runtime.graph.end:
                where = self.node.source
                raise InvalidTransitionError(
                    f"Step {self.spec.step!r} ended without calling self.next().",
                    step=self.spec.step,
                    file=where.file if where else None,
                    line=where.line if where else None,
                    remedy="Call self.next() as the last statement.",
                )
            return Outcome("succeeded")
        size = chosen.num_parallel if chosen.elements is None else len(chosen.elements)
        return Outcome("succeeded", chosen.next, size)

    def _absorb(self, state: TaskState, failure: Failure) -> Outcome:
        """The outcome of a step whose failure its `absorb` takes: what was assigned so far is kept, the static transition is taken."""
        absorb = self.node.absorb
        if absorb is None:
            raise InternalError(f"Step {self.spec.step!r} absorbs no failures.")
        if absorb.artifact is not None:
            state.flow.__dict__[absorb.artifact] = failure
        if absorb.print_exception:
            lines = [f"Step {self.spec.step} ({self.spec.pathspec}) failed; the failure was caught:"]
            lines += [f">  {line}" for line in str(failure).rstrip().splitlines()]
            _show("\n".join(lines), sys.stdout)
        return Outcome("absorbed", self.node.next, None, failure)

    def _failed(
        self, error: BaseException, persister: Persister, state: TaskState | None, context: Context | None, decorators: list[Any]
    ) -> Outcome:
        """Let decorators and policy decide; either the failure is absorbed and committed, or it is stored as an attempt."""
        failure = failure_of(error, _kind(error))
        give_up = False
        absorbed: dict[str, Any] | None = None
        for decorator in decorators:
            if context is not None and hasattr(decorator, "on_failure"):
                answer = decorator.on_failure(context, failure)
                if answer is not None and hasattr(answer, "artifacts"):
                    absorbed = {**(absorbed or {}), **answer.artifacts}
                elif answer is not None:
                    give_up = True
        if give_up and not failure.give_up:
            failure = Failure.from_json({**failure.to_json(), "give_up": True})
        history = [Failure.from_json(dict(earlier)) for earlier in self.spec.failures]
        final = decide(failure, self.node.retry, history).action == "give_up"
        if (
            state is not None
            and context is not None
            and isinstance(error, Exception)
            and (absorbed is not None or (final and self.node.absorb))
        ):
            try:
                if absorbed is not None:
                    state.flow.__dict__.update(absorbed)
                    outcome = Outcome("absorbed", self.node.next, None, failure)
                else:
                    outcome = self._absorb(state, failure)
                return persister.commit(state, context, outcome)
            except StoreError:
                raise
            except Exception as second:  # noqa: BLE001 - storing the caught failure runs the values' own code
                error, failure = second, failure_of(second, _kind(second))
        _show(f"{error.code}: {error}" if isinstance(error, HeadraceError) else failure.traceback.rstrip(), sys.stderr)
        status = "timed_out" if failure.kind == "timeout" else "failed"
        outcome = Outcome(status, failure=failure)  # type: ignore[arg-type]
        persister.failed(state, context, outcome)
        return outcome

    def _report(self, outcome: Outcome) -> Outcome:
        self.channel.send({"type": "outcome", "outcome": outcome.to_json()})
        return outcome

    def _guard(self, action: Callable[[], None]) -> None:
        """What runs after the outcome can no longer change it: an error is shown, nothing more."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - a decorator's after() may fail in any way and no longer matters
            _show(f"ignored after the task had ended: {error!r}", sys.stderr)


class _Body:
    """Innermost context manager: notes whether user code finished, and what it raised if not."""

    def __init__(self) -> None:
        self.finished = False
        self.error: BaseException | None = None

    def __enter__(self) -> _Body:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.error = error


def _show(text: str, stream: Any) -> None:
    """Print for the log. User code may have closed or replaced its streams; what came of the attempt does not depend on them."""
    try:
        print(text, file=stream, flush=True)
    except Exception:  # noqa: BLE001 - a stream of the user's own may raise anything
        pass


def _kind(error: BaseException) -> str | None:
    if isinstance(error, InvalidTransitionError):
        return "transition"
    return "serialization" if isinstance(error, SerializationError) else None
