"""Group `headrace.secrets`: where secret values come from. Chosen by the reference's scheme; values never enter a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import field, frozen


@frozen
class SecretReference:
    """`scheme` names the backend, `id` the secret in it; `role` and `options` are the backend's own."""

    scheme: str
    id: str
    role: str | None = None
    options: Mapping[str, Any] = field(factory=dict)


class SecretsBackend(Protocol):
    """Fetches secrets in the task process, after each value was announced to the supervisor for redaction."""

    def fetch(self, reference: SecretReference) -> Mapping[str, str]:
        """Environment variable name -> value. Raises NotFoundError or StoreUnavailableError."""
