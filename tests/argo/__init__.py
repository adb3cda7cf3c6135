"""A strict interpreter of the part of Argo Workflows that our compiler emits. Written from Argo's documentation; knows nothing of the compiler.

`validate` says what a cluster would refuse, `run` executes a WorkflowTemplate over a `Runner`: Python callables in virtual time, or real
processes in namespaces of their own (`argo.pods`). What the interpreter does not know it refuses.
"""

from .engine import run
from .nodes import Node, Phase, Result
from .problems import ManifestError, TemplateError
from .runner import CallableRunner, Ended, Lost, Pod, Runner, SystemClock, VirtualClock
from .submission import Submission
from .validate import problems_of, validate

__all__ = [
    "CallableRunner",
    "Ended",
    "Lost",
    "ManifestError",
    "Node",
    "Phase",
    "Pod",
    "Result",
    "Runner",
    "Submission",
    "SystemClock",
    "TemplateError",
    "VirtualClock",
    "problems_of",
    "run",
    "validate",
]
