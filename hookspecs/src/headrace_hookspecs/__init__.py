"""The contract between the headrace kernel and everything that plugs into it.

Data, Protocols and pure functions only: no I/O, nothing of ours imported, attrs and pluggy the only dependencies. Every public name is
reachable from here and loaded on first use, so that a process pays only for the parts of the contract that it touches.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

API_VERSION: Final = "1.0"
"""Version of this contract. A plugin names the one that it was written for; the major number must match."""

_HOME: Final[dict[str, str]] = {
    name: module
    for module, names in {
        "capabilities": "Capability",
        "cards": "Card CardComponent",
        "commands": "Session",
        "datastore": "BlobRange BlobStat BlobStore Buffer RemoteStore",
        "decorators": "Absorbed DecoratorCall FlowDecorator GiveUp Option PlanContext StepDecorator flow_decorator step_decorator",
        "diagnostics": "Diagnostic",
        "environments": "Environment RuntimeClosure ResolvedEnvironment",
        "errors": (
            "AttemptLost ConfigError CorruptDataError FlowDefinitionError FlowFileError GraphError HeadraceError InternalError "
            "InvalidTransitionError MissingCapabilityError NotFoundError ParameterError PluginError RunFailed RunInterrupted "
            "SerializationError StoreError StoreFullError StoreReadOnlyError StoreUnavailableError UsageError"
        ),
        "events": "Event EventKind",
        "hooks": (
            "ConfigDefaultsRequest DoctorRequest ExecuteRequest GraphCheckRequest GraphTransformRequest PackageFilesRequest "
            "TaskEnvironmentRequest hookimpl hookspec"
        ),
        "ids": "check_id dns_name label new_run_id parse_task_id task_id",
        "ir": "Absorb Compute DecoratorUse FlowGraph ParameterSpec Resources RetryPolicy Source StepNode Switch Timeout Workload",
        "launcher": "LaunchContext LaunchEvent Launcher TaskEntry",
        "metadata": "Fact Lease MetadataStore Page Query",
        "orchestrator": "Deployment Orchestrator Report TaskTemplate",
        "outcome": "Failure FailureKind Outcome Status",
        "production": "ExitHook Notification Project Schedule Trigger",
        "providers": "PluginObject ProviderContext",
        "retrying": "Decision decide grown",
        "secrets": "SecretReference SecretsBackend",
        "serializer": "Dumped LoadContext Serializer",
        "task": "TaskContext TaskSpec TaskView",
    }.items()
    for name in names.split()
}

__all__ = ["API_VERSION", *sorted(_HOME)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


if TYPE_CHECKING:
    from .capabilities import Capability as Capability
    from .cards import Card as Card
    from .cards import CardComponent as CardComponent
    from .commands import Session as Session
    from .datastore import BlobRange as BlobRange
    from .datastore import BlobStat as BlobStat
    from .datastore import BlobStore as BlobStore
    from .datastore import Buffer as Buffer
    from .datastore import RemoteStore as RemoteStore
    from .decorators import Absorbed as Absorbed
    from .decorators import DecoratorCall as DecoratorCall
    from .decorators import FlowDecorator as FlowDecorator
    from .decorators import GiveUp as GiveUp
    from .decorators import Option as Option
    from .decorators import PlanContext as PlanContext
    from .decorators import StepDecorator as StepDecorator
    from .decorators import flow_decorator as flow_decorator
    from .decorators import step_decorator as step_decorator
    from .diagnostics import Diagnostic as Diagnostic
    from .environments import Environment as Environment
    from .environments import ResolvedEnvironment as ResolvedEnvironment
    from .environments import RuntimeClosure as RuntimeClosure
    from .errors import AttemptLost as AttemptLost
    from .errors import ConfigError as ConfigError
    from .errors import CorruptDataError as CorruptDataError
    from .errors import FlowDefinitionError as FlowDefinitionError
    from .errors import FlowFileError as FlowFileError
    from .errors import GraphError as GraphError
    from .errors import HeadraceError as HeadraceError
    from .errors import InternalError as InternalError
    from .errors import InvalidTransitionError as InvalidTransitionError
    from .errors import MissingCapabilityError as MissingCapabilityError
    from .errors import NotFoundError as NotFoundError
    from .errors import ParameterError as ParameterError
    from .errors import PluginError as PluginError
    from .errors import RunFailed as RunFailed
    from .errors import RunInterrupted as RunInterrupted
    from .errors import SerializationError as SerializationError
    from .errors import StoreError as StoreError
    from .errors import StoreFullError as StoreFullError
    from .errors import StoreReadOnlyError as StoreReadOnlyError
    from .errors import StoreUnavailableError as StoreUnavailableError
    from .errors import UsageError as UsageError
    from .events import Event as Event
    from .events import EventKind as EventKind
    from .hooks import ConfigDefaultsRequest as ConfigDefaultsRequest
    from .hooks import DoctorRequest as DoctorRequest
    from .hooks import ExecuteRequest as ExecuteRequest
    from .hooks import GraphCheckRequest as GraphCheckRequest
    from .hooks import GraphTransformRequest as GraphTransformRequest
    from .hooks import PackageFilesRequest as PackageFilesRequest
    from .hooks import TaskEnvironmentRequest as TaskEnvironmentRequest
    from .hooks import hookimpl as hookimpl
    from .hooks import hookspec as hookspec
    from .ids import check_id as check_id
    from .ids import dns_name as dns_name
    from .ids import label as label
    from .ids import new_run_id as new_run_id
    from .ids import parse_task_id as parse_task_id
    from .ids import task_id as task_id
    from .ir import Absorb as Absorb
    from .ir import Compute as Compute
    from .ir import DecoratorUse as DecoratorUse
    from .ir import FlowGraph as FlowGraph
    from .ir import ParameterSpec as ParameterSpec
    from .ir import Resources as Resources
    from .ir import RetryPolicy as RetryPolicy
    from .ir import Source as Source
    from .ir import StepNode as StepNode
    from .ir import Switch as Switch
    from .ir import Timeout as Timeout
    from .ir import Workload as Workload
    from .launcher import LaunchContext as LaunchContext
    from .launcher import Launcher as Launcher
    from .launcher import LaunchEvent as LaunchEvent
    from .launcher import TaskEntry as TaskEntry
    from .metadata import Fact as Fact
    from .metadata import Lease as Lease
    from .metadata import MetadataStore as MetadataStore
    from .metadata import Page as Page
    from .metadata import Query as Query
    from .orchestrator import Deployment as Deployment
    from .orchestrator import Orchestrator as Orchestrator
    from .orchestrator import Report as Report
    from .orchestrator import TaskTemplate as TaskTemplate
    from .outcome import Failure as Failure
    from .outcome import FailureKind as FailureKind
    from .outcome import Outcome as Outcome
    from .outcome import Status as Status
    from .production import ExitHook as ExitHook
    from .production import Notification as Notification
    from .production import Project as Project
    from .production import Schedule as Schedule
    from .production import Trigger as Trigger
    from .providers import PluginObject as PluginObject
    from .providers import ProviderContext as ProviderContext
    from .retrying import Decision as Decision
    from .retrying import decide as decide
    from .retrying import grown as grown
    from .secrets import SecretReference as SecretReference
    from .secrets import SecretsBackend as SecretsBackend
    from .serializer import Dumped as Dumped
    from .serializer import LoadContext as LoadContext
    from .serializer import Serializer as Serializer
    from .task import TaskContext as TaskContext
    from .task import TaskSpec as TaskSpec
    from .task import TaskView as TaskView
