"""A strict interpreter of the part of Argo Workflows that our compiler emits. Knows nothing of the compiler.

Written from Argo's documentation, and from what its controller does where that is silent.

`argo.validate` says what a cluster would refuse; `argo.engine.run` executes a WorkflowTemplate over a `Runner`: Python callables in virtual time
(`argo.runner`), or real processes in namespaces of their own (`argo.pods`). What the interpreter does not know it refuses.
"""
