"""One plugin in a pluggy manager of its own, so that each answer and each failure has a name. Holds the plugin to the rules of hooks:
known names, one argument, wrappers where and only where they belong.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import pluggy

from headrace_hookspecs import hooks
from headrace_hookspecs.errors import HeadraceError, PluginError
from headrace_hookspecs.outcome import Outcome

T = TypeVar("T")
_WRAPPED: Final = "headrace_task_execute"


class Hosted:
    """A plugin that may be called; `hooks` are those that it implements. `trace` prints each call with its time on stderr.

    Raises PluginError where the plugin breaks a rule.
    """

    def __init__(self, name: str, plugin: object, *, trace: bool = False) -> None:
        self.name: Final = name
        self._trace: Final = trace
        self._pluggy: Final = pluggy.PluginManager(hooks.PROJECT)
        self._pluggy.add_hookspecs(hooks)
        try:
            self._pluggy.register(plugin, name)
            self._pluggy.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            raise self._refused(" ".join(str(error).split()))
        callers = self._pluggy.get_hookcallers(plugin) or []
        self.hooks: Final = frozenset(caller.name for caller in callers)
        for caller in callers:
            for one in caller.get_hookimpls():
                if one.hookwrapper or one.tryfirst or one.trylast:
                    raise self._refused("hookwrapper, tryfirst and trylast are not for plugins; `plugins.order` orders them")
                if one.wrapper != (caller.name == _WRAPPED):
                    raise self._refused(f"{caller.name} {'must not' if one.wrapper else 'has to'} be a hookimpl(wrapper=True)")

    def ask(self, hook: str, request: object, accept: Callable[[Any], T]) -> list[T]:
        """The plugin's answers (none, or one) to a hook that it may not have, as `accept` reads them. Any failure is a PluginError."""
        if hook not in self.hooks:
            return []
        try:
            return [accept(answer) for answer in self._call(hook, {"request": request})]
        except HeadraceError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"The plugin {self.name!r} failed in {hook}: {type(error).__name__}: {error}",
                code="plugin-failed",
                remedy=f"Mend it, or leave it out: -o 'plugins.disable=[\"{self.name}\"]'",
            ) from error

    def tell(self, event: object) -> None:
        """Deliver an event. Raises whatever the plugin raises."""
        self._call("headrace_on_event", {"event": event})

    def wrap(self, request: object, inner: Callable[[], Outcome]) -> Outcome:
        """The outcome of `inner`, run inside the plugin's wrapper. Raises PluginError if that hides an exception or makes up an answer."""
        outcomes: list[Outcome] = []
        errors: list[BaseException] = []

        def body() -> Outcome:
            try:
                outcomes.append(inner())
            except BaseException as error:
                errors.append(error)
                raise
            return outcomes[0]

        answer = self._call(_WRAPPED, {"request": request}, [body])
        if not outcomes or answer is not outcomes[0]:
            did = "removed an exception" if errors else f"answered {answer!r} instead of the kernel's outcome"
            raise PluginError(
                f"The plugin {self.name!r} {did} in {_WRAPPED}.",
                code="plugin-wrapper",
                remedy="A wrapper ends with `return (yield)`, and lets exceptions pass or raises another.",
            ) from (errors[0] if errors else None)
        return outcomes.pop()

    def _call(self, hook: str, arguments: dict[str, object], inner: Sequence[Callable[..., object]] = ()) -> Any:
        started, end = time.perf_counter(), "failed"
        try:
            answer = getattr(self._pluggy.hook, hook).call_extra(inner, arguments)
            end = "done"
            return answer
        finally:
            if self._trace:
                milliseconds = (time.perf_counter() - started) * 1000
                print(f"headrace hook {hook} {self.name} {end} {milliseconds:.3f} ms", file=sys.stderr, flush=True)

    def _refused(self, why: str) -> PluginError:
        return PluginError(f"The plugin {self.name!r} is refused: {why}.", code="plugin-refused", remedy="See the reference of the hooks.")
