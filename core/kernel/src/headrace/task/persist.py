"""The end of an attempt on disk: blobs first, then the one commit record; or, without a commit, the attempt's own record."""

from __future__ import annotations

import binascii
import os
import time
from collections.abc import Mapping

from headrace_hookspecs import Capability, Outcome, TaskSpec
from headrace_hookspecs.errors import HeadraceError

from ..store.artifacts import ArtifactWriter
from ..store.facts import RunStore
from ..store.record import new_header
from ..store.serializers import SerializerSet
from .channel import Channel
from .context import Context
from .state import TaskState


class Persister:
    """Writes what one attempt leaves behind. `limits` has inline_value and inline_total in bytes."""

    def __init__(
        self, store: RunStore, serializers: SerializerSet, limits: Mapping[str, int], spec: TaskSpec, started: float, channel: Channel
    ) -> None:
        self._store = store
        self._serializers = serializers
        self._limits = limits
        self._spec = spec
        self._started = started
        self._channel = channel
        self._nonce = os.urandom(12).hex()

    def commit(self, state: TaskState, context: Context, outcome: Outcome) -> Outcome:
        """Store everything that `self` holds and commit. The outcome that counts: this one, or the one that was committed before.

        Raises SerializationError, and the store errors.
        """
        absorb = state.node.absorb
        if absorb is not None and absorb.artifact is not None and outcome.status == "succeeded":
            state.flow.__dict__[absorb.artifact] = None
        record = self._record(state, context, outcome)
        spec = self._spec
        if Capability.CONDITIONAL_PUT not in self._store.blobs.capabilities and self._channel.connected:
            # nobody else can write at the same time as the scheduler, which holds the run's lease
            self._channel.send({"type": "record", "data": binascii.b2a_base64(record, newline=False).decode()})
            return outcome
        if self._store.commit(record, self._nonce) == "won":
            return outcome
        first = self._store.read_commit(spec.step, spec.task)
        return outcome if first is None else first.outcome

    def failed(self, state: TaskState | None, context: Context | None, outcome: Outcome) -> None:
        """Store the failed attempt with whatever of its artifacts can be stored."""
        record = None
        if state is not None and context is not None:
            record = self._record(state, context, outcome, lenient=True)
        self._store.write_attempt(self._spec, outcome, record)

    def _record(self, state: TaskState, context: Context, outcome: Outcome, *, lenient: bool = False) -> bytes:
        spec = self._spec
        limits = {name: self._limits[name] for name in ("inline_value", "inline_total")}
        writer = ArtifactWriter(self._store.blobs, self._serializers, spec.flow, spec.step, **limits)
        carried = state.carried()
        for name, reader in carried.items():
            writer.carry(name, reader)
        cls = type(state.flow)
        for name, value in state.flow.__dict__.items():
            # what the class computes for itself (functools.cached_property) is no artifact
            if name not in carried and not hasattr(cls, name):
                try:
                    writer.put(name, value, state.before(name))
                except HeadraceError:
                    if not lenient:
                        raise
        chosen = state.chosen
        if outcome.status == "succeeded" and chosen is not None and chosen.elements is not None:
            writer.store_elements(chosen.elements, state.node.foreach or "foreach")
        header = new_header(spec, self._nonce, outcome, started=self._started, ended=time.time(), fields=context.fields)
        return writer.finish(header)
