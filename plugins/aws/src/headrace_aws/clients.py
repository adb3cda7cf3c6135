"""Clients made of ClientOptions, and one for each process. boto3 is imported when the first one is made; making one sends no request of ours."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace_hookspecs.errors import ConfigError

from .errors import diagnose
from .options import REFERENCE, ClientOptions

_OF_THE_NETWORK: Final = frozenset({"connect_timeout", "proxies", "proxies_config", "read_timeout"})


def make_client(service: str, options: ClientOptions, *, section: str, config: Mapping[str, Any] | None = None) -> Any:
    """A boto3 client of `service` (such as `s3`).

    `section` names the options in errors (`datastore.s3.client`); `config` holds what the plugin wants of botocore's Config where the
    options do not say otherwise. Raises ConfigError. Who makes requests turns their exceptions into errors with `diagnose`.
    """
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

    try:
        session = boto3.Session(**_given(profile_name=options.profile, region_name=options.region), **_resolved(options.session, section))
        if options.role:
            session = _assumed(session, options)
        return session.client(
            service,
            config=Config(**{**(config or {}), **options.config}),
            **_given(endpoint_url=options.endpoint),
            **_resolved(options.parameters, section),
        )
    except (BotoCoreError, TypeError, ValueError) as error:
        found = diagnose(error)
        raise ConfigError(f"{section} cannot be used: {found.reason}.", code=found.code, remedy=found.remedy) from None


class ProcessClient:
    """The client of the process that asks, made on first use by `make`. A fork never goes on with connections of its parent.

    `prepare` makes one for those that are forked later: the service's model is loaded once and not in every one of them.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make: Final = make
        self._spare: Any = None
        self._owner = 0
        self._clients: dict[int, Any] = {}
        self._locks: dict[int, threading.Lock] = {}

    def __call__(self) -> Any:
        """The client of this process. Raises ConfigError."""
        process = os.getpid()
        client = self._clients.get(process)
        if client is None:
            # a lock for each process: one that the parent held while it forked would never be free in the child
            with self._locks.setdefault(process, threading.Lock()):
                client = self._clients.get(process)
                if client is None:
                    spare, self._spare = (None, self._spare) if self._owner == process else (self._spare, None)
                    client = spare or self._make()
                    self._clients = {process: client}
        return client

    def prepare(self) -> None:
        """Make the client that each process forked from this one will use. What cannot be made is reported by whoever needs it."""
        if self._spare is None:
            try:
                self._spare, self._owner = self._make(), os.getpid()
            except ConfigError:
                pass

    def close(self) -> None:
        """Close this process's connections, if it has any."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()


def _assumed(session: Any, options: ClientOptions) -> Any:
    """A session with the credentials of the role; they are fetched by the first request, and again before they expire."""
    import boto3
    from botocore.config import Config
    from botocore.credentials import (  # type: ignore[import-untyped]
        AssumeRoleCredentialFetcher,
        CredentialProvider,
        CredentialResolver,
        DeferredRefreshableCredentials,
    )
    from botocore.exceptions import NoCredentialsError
    from botocore.session import Session  # type: ignore[import-untyped]

    own = session.get_credentials()
    if own is None:
        raise NoCredentialsError

    # how to get out of this network is the same for both services; what is particular to one is not
    config = Config(**{name: value for name, value in options.config.items() if name in _OF_THE_NETWORK})
    reach = {name: options.parameters[name] for name in ("verify",) if name in options.parameters}

    def security_token_service(name: str, **parameters: Any) -> Any:
        return session.client(name, config=config, **_given(endpoint_url=options.role_endpoint), **reach, **parameters)

    wanted = _given(RoleSessionName=options.role_session, ExternalId=options.external_id)
    fetcher = AssumeRoleCredentialFetcher(security_token_service, own, options.role, extra_args=wanted)
    credentials = DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")

    class Provider(CredentialProvider):  # type: ignore[misc]
        METHOD = "headrace-role"

        def load(self) -> Any:
            return credentials

    assumed = Session(profile=session.profile_name if options.profile else None)
    assumed.register_component("credential_provider", CredentialResolver([Provider()]))
    return boto3.Session(botocore_session=assumed, **_given(region_name=session.region_name))


def _given(**options: Any) -> dict[str, Any]:
    """The options that say something."""
    return {name: value for name, value in options.items() if value}


def _resolved(values: Mapping[str, Any], section: str) -> dict[str, Any]:
    """The values, those that refer to a variable replaced by what it holds. Raises ConfigError."""
    found = {}
    for name, value in values.items():
        if isinstance(value, str) and value.startswith(REFERENCE):
            variable = value[len(REFERENCE) :]
            if variable not in os.environ:
                raise ConfigError(
                    f"{section}: {name} is that of the variable {variable}, which is not set.",
                    code="aws-variable",
                    remedy=f"Set {variable} in the environment of this process.",
                )
            value = os.environ[variable]
        found[name] = value
    return found
