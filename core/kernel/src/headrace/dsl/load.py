"""From the words that name a flow to its class: imports flow files so that what they define is found again under one name, in every process."""

from __future__ import annotations

import importlib
import os
import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

from headrace_hookspecs.errors import FlowFileError, HeadraceError

from .flow import IMPORTING, FlowSpec
from .steps import mark_of, members_of

if TYPE_CHECKING:
    from types import ModuleType

_MARK: Final = "__headrace_flow__"
"""In the namespace of a module that was loaded as a flow file."""


class LoadedFlow(NamedTuple):
    """A flow class, its absolute file, the name under which its module can be imported, and the folder that `sys.path` begins with."""

    cls: type[FlowSpec]
    file: str
    module: str
    sys_path0: str


def load_flow(target: str, *, module: bool = False) -> LoadedFlow:
    """Import the flow that `target` names: `FILE`, `FILE:Class`, or with `module` a `package.module` or `package.module:Class`.

    Raises FlowFileError, or whatever HeadraceError the file itself caused. A file that could not be imported is not left in `sys.modules`.
    """
    name, colon, wanted = target.rpartition(":")
    if not colon or not all(map(str.isidentifier, wanted.split("."))) or (not module and os.path.exists(target)):
        name, wanted = target, ""
    if not module and not os.path.isfile(name):
        raise _missing(name)
    folder = os.getcwd() if module else os.path.dirname(os.path.abspath(name))
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    token = IMPORTING.set(True)
    try:
        found = importlib.import_module(name) if module else _execute(os.path.abspath(name))
    except BaseException as error:
        raise _failed(error, name, module) from error
    finally:
        IMPORTING.reset(token)
    file = os.path.abspath(found.__file__ or name)
    vars(found)[_MARK] = True
    return LoadedFlow(_choose(found, name, file, wanted), file, importable_name(found.__name__), folder)


def adopt_main(cls: type[FlowSpec]) -> LoadedFlow:
    """A flow class that has been imported by others. That of a program, as in `python FILE`, can be imported under the file's name from now on."""
    module = sys.modules[cls.__module__]
    if not _file_of(module):
        problem = f"{cls.__name__} was defined at a prompt or in a notebook, where tasks cannot import it."
        remedy = "Write it to a file (in a notebook with %%writefile flow.py) and import it from there."
        raise FlowFileError(problem, remedy=remedy, code="flow-file-missing")
    name = importable_name(cls.__module__)
    folder = os.path.dirname(_file_of(module))
    if cls.__module__ == "__main__":
        sys.modules.setdefault(name, module)
        module.__dict__[_MARK] = True
    for _ in range(name.count(".")):
        folder = os.path.dirname(folder)
    return LoadedFlow(cls, _file_of(module), name, folder)


def importable_name(module: str) -> str:
    """The name under which tasks can import a module: for the program itself, that of its file."""
    file = _file_of(sys.modules[module]) if module == "__main__" else ""
    return _free_name(file) if file else module


def resolve_global(module: str, qualname: str) -> Any:
    """The class or function `module`, `qualname`, under whichever name the flow's module goes now and went when that was written down.

    A flow file may be `__main__`, its stem, or a module of a package. Raises ImportError or AttributeError, as unpickling does.
    """
    last = module.rpartition(".")[2]
    homes = [sys.modules[module]] if module in sys.modules else []
    homes += [found for found in _flow_files() if module == "__main__" or last in _stems(found)]
    if not homes:
        import importlib

        try:
            homes = [importlib.import_module(module)]
        except ModuleNotFoundError:
            # the file may have been imported as part of a package, where it was run by itself before
            homes = [found for found in list(sys.modules.values()) if last in _stems(found)]
            if not homes:
                raise
    for home in homes:
        value: Any = home
        for part in qualname.split("."):
            value = getattr(value, part, _MARK)
        if value is not _MARK:
            return value
    raise AttributeError(f"Module {module!r} has no {qualname!r}.")


def _flow_files() -> list[ModuleType]:
    """The modules that were loaded as flows, the program itself among them."""
    modules = list(sys.modules.items())
    return [found for name, found in modules if name == "__main__" or _MARK in getattr(found, "__dict__", {})]


def _stems(module: ModuleType) -> tuple[str, ...]:
    """The names that a flow file's module may have in another process, packages left out."""
    file = getattr(module, "__dict__", {}).get("__file__")
    if not isinstance(file, str):
        return ()
    stem = _stem(file)
    return (stem, f"{stem}__flow")


def _stem(file: str) -> str:
    return os.path.basename(file).removesuffix(".py").replace(".", "_")


def _free_name(file: str) -> str:
    """The module name of a flow file: its stem, unless another module has that."""
    stem = _stem(file)
    return stem if stem not in sys.modules or _file_of(sys.modules[stem]) == file else f"{stem}__flow"


def _file_of(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return os.path.abspath(file) if isinstance(file, str) else ""


def _execute(file: str) -> ModuleType:
    """The module of a flow file, executed now, unless it was imported by somebody else: a second copy of its classes would not be the same."""
    from importlib.machinery import ModuleSpec, SourceFileLoader

    name = _free_name(file)
    taken = sys.modules.get(name)
    if taken is not None and (_MARK not in taken.__dict__ or taken.__name__ == "__main__"):
        return taken
    loader = SourceFileLoader(name, file)
    module = type(sys)(name)
    module.__file__, module.__loader__, module.__spec__ = file, loader, ModuleSpec(name, loader, origin=file)
    module.__dict__[_MARK] = True
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _missing(path: str) -> FlowFileError:
    problem, remedy = f"No such flow file: {path}", "Check the spelling and the folder that you are in."
    if os.path.isdir(path):
        problem, remedy = f"{path} is a folder.", "Name the file in it that holds the flow."
    elif os.path.isfile(f"{path}.py"):
        remedy = f"Did you mean {path}.py?"
    elif os.sep not in path and not path.endswith(".py"):
        remedy = f"For a module, write -m {path}."
    return FlowFileError(problem, remedy=remedy, code="flow-file-missing")


def _failed(error: BaseException, name: str, module: bool) -> BaseException:
    """What to raise instead of `error`, which importing a flow file raised."""
    from .tracebacks import user_line, user_traceback

    if isinstance(error, (HeadraceError, KeyboardInterrupt)):
        return error
    file = "" if module else os.path.abspath(name)
    if isinstance(error, OSError) and error.filename == file:
        return FlowFileError(f"{name} cannot be read: {error.strerror}.", remedy="Check its permissions.", code="flow-file-missing")
    if module and isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
        remedy = "Give the name as in an import statement, or a file without -m."
        return FlowFileError(f"No module named {name!r}.", remedy=remedy, code="flow-file-missing")
    text, remedy = f"could not be imported.\n{user_traceback(error).rstrip()}", "Correct the file; it must import without an error."
    if isinstance(error, SystemExit):
        text, remedy = f"called sys.exit({error.code!r}) while it was imported.", 'Do that under if __name__ == "__main__".'
    return FlowFileError(f"{name} {text}", file=file or None, line=user_line(error, file), remedy=remedy, code="flow-file-import")


def _choose(module: ModuleType, path: str, file: str, wanted: str) -> type[FlowSpec]:
    """The one flow of a module, or the one that is wanted. Classes defined there go before imported ones."""
    if wanted:
        try:
            if _is_flow(cls := attrgetter(wanted)(module)):
                return cls
        except AttributeError:
            pass
        names = ", ".join(name for name, value in vars(module).items() if _is_flow(value))
        remedy = f"It has {names}." if names else "It has no flow at all."
        raise FlowFileError(f"{path} has no flow {wanted!r}.", file=file, remedy=remedy, code="flow-file-class")
    found = list(dict.fromkeys(value for value in vars(module).values() if _is_flow(value)))
    flows = [cls for cls in found if cls.__module__ == module.__name__] or found
    # a base class that cannot be a flow by itself does not make the choice a question
    flows = [cls for cls in flows if _complete(cls)] or flows
    if not flows:
        remedy = "Write a class that derives from headrace.FlowSpec."
        raise FlowFileError(f"{path} defines no flow.", file=file, remedy=remedy, code="flow-file-empty")
    if len(flows) > 1:
        remedy = "Say which: " + ", ".join(f"{path}:{cls.__name__}" for cls in flows)
        raise FlowFileError(f"{path} defines {len(flows)} flows.", file=file, remedy=remedy, code="flow-file-several")
    return flows[0]


def _is_flow(value: object) -> TypeGuard[type[FlowSpec]]:
    return isinstance(value, type) and issubclass(value, FlowSpec) and value is not FlowSpec


def _complete(cls: type[FlowSpec]) -> bool:
    """Whether the class has a first and a last step."""
    marks = {name: mark_of(value) for name, value in members_of(cls, mark_of).items()}
    named = [which in marks or any(getattr(mark, which) for mark in marks.values()) for which in ("start", "end")]
    return len(marks) == 1 or all(named)
