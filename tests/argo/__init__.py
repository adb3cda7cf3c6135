"""A strict interpreter of the part of Argo Workflows that our compiler emits. Written from Argo's documentation; knows nothing of the compiler.

`argo.validate` says what a cluster would refuse; `argo.engine.run` executes a WorkflowTemplate over a `Runner`: Python callables in virtual time
(`argo.runner`), or real processes in namespaces of their own (`argo.pods`). What the interpreter does not know it refuses.
"""
