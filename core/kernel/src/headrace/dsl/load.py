"""From the words that name a flow to its class: imports flow files so that what they define is found again under one name, in every process."""

from __future__ import annotations

import os
import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headrace_hookspecs.errors import FlowFileError, HeadraceError

from .flow import IMPORTING, FlowSpec
from .steps import mark_of

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

    Raises FlowFileError, or whatever HeadraceError the file itself caused. Nothing is left in `sys.modules` of a file that failed.
    """
    name, colon, wanted = target.rpartition(":")
    if not colon or not all(map(str.isidentifier, wanted.split("."))) or (not module and os.path.exists(target)):
        name, wanted = target, ""
    found = _import_module(name) if module else _import_file(name)
    file = os.path.abspath(getattr(found, "__file__", None) or name)
    cls = _choose(found, name, file, wanted)
    return LoadedFlow(cls, file, importable_name(found.__name__), os.getcwd() if module else os.path.dirname(file))


def adopt_main(cls: type[FlowSpec]) -> LoadedFlow:
    """The flow of a program that was started as `python FILE`: its module can be imported under the file's name from now on."""
    main = sys.modules[cls.__module__]
    file = getattr(main, "__file__", None)
    if file is None:
        raise FlowFileError(
            f"{cls.__name__} was defined at a prompt or in a notebook; tasks could not import it.",
            remedy="Write it to a file (in a notebook with %%writefile flow.py) and import it from there.",
            code="flow-file-missing",
        )
    file = os.path.abspath(file)
    if cls.__module__ != "__main__":
        return loaded_class(cls)
    name = _free_name(file)
    sys.modules.setdefault(name, main)
    main.__dict__[_MARK] = True
    return LoadedFlow(cls, file, name, os.path.dirname(file))


def loaded_class(cls: type[FlowSpec]) -> LoadedFlow:
    """A flow class that has been imported already, by whatever means."""
    module = sys.modules[cls.__module__]
    file = getattr(module, "__file__", None)
    if cls.__module__ == "__main__" or file is None:
        return adopt_main(cls)
    folder = os.path.dirname(os.path.abspath(file))
    for _ in range(cls.__module__.count(".")):
        folder = os.path.dirname(folder)
    return LoadedFlow(cls, os.path.abspath(file), cls.__module__, folder)


def importable_name(module: str) -> str:
    """The name under which tasks can import a module: for the program itself, that of its file."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return _free_name(os.path.abspath(file)) if module == "__main__" and file is not None else module


def resolve_global(module: str, qualname: str) -> Any:
    """The class or function `module`, `qualname`, whether the flow's module is now `__main__` or was it when the name was written down.

    Raises ImportError or AttributeError, as unpickling does.
    """
    homes = [sys.modules[module]] if module in sys.modules else []
    homes += [found for found in list(sys.modules.values()) if module in _names_of(found)]
    if not homes:
        import importlib

        homes = [importlib.import_module(module)]
    for home in homes:
        try:
            return attrgetter(qualname)(home)
        except AttributeError:
            continue
    raise AttributeError(f"Module {module!r} has no {qualname!r}.")


def _names_of(module: ModuleType) -> tuple[str, ...]:
    """The names that a flow file's module may have in another process."""
    namespace = getattr(module, "__dict__", {})
    file = namespace.get("__file__")
    if not isinstance(file, str) or (namespace.get("__name__") != "__main__" and _MARK not in namespace):
        return ()
    stem = _stem(file)
    return ("__main__", stem, f"{stem}__flow")


def _stem(file: str) -> str:
    return os.path.basename(file).removesuffix(".py").replace(".", "_")


def _free_name(file: str) -> str:
    """The module name of a flow file: its stem, unless another module has that."""
    stem = _stem(file)
    taken = sys.modules.get(stem)
    return stem if taken is None or _file_of(taken) == file else f"{stem}__flow"


def _file_of(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return os.path.abspath(file) if isinstance(file, str) else ""


def _import_file(path: str) -> ModuleType:
    from importlib.machinery import ModuleSpec, SourceFileLoader
    from types import ModuleType

    file = os.path.abspath(path)
    if not os.path.isfile(file):
        raise _missing(path)
    name = _free_name(file)
    taken = sys.modules.get(name)
    if taken is not None and (_MARK not in taken.__dict__ or taken.__name__ == "__main__"):
        return taken  # it was imported by somebody else: a second copy of its classes would not be the same
    loader = SourceFileLoader(name, file)
    module = ModuleType(name)
    module.__file__, module.__loader__ = file, loader
    module.__spec__ = ModuleSpec(name, loader, origin=file)
    module.__dict__[_MARK] = True
    if not sys.path or sys.path[0] != os.path.dirname(file):
        sys.path.insert(0, os.path.dirname(file))
    sys.modules[name] = module
    token = IMPORTING.set(True)
    try:
        loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name)
        raise _failed(error, path, file) from error
    finally:
        IMPORTING.reset(token)
    return module


def _import_module(name: str) -> ModuleType:
    import importlib

    if sys.path and sys.path[0] != os.getcwd():
        sys.path.insert(0, os.getcwd())
    token = IMPORTING.set(True)
    try:
        return importlib.import_module(name)
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise FlowFileError(
                f"No module named {name!r}.",
                remedy="Give the name as in an import statement, or a file without -m.",
                code="flow-file-missing",
            ) from error
        raise _failed(error, name, getattr(sys.modules.get(name), "__file__", None) or "") from error
    finally:
        IMPORTING.reset(token)


def _missing(path: str) -> FlowFileError:
    if os.path.isdir(path):
        return FlowFileError(f"{path} is a folder.", remedy="Name the file in it that holds the flow.", code="flow-file-missing")
    remedy = "Check the spelling and the folder that you are in."
    if os.path.isfile(f"{path}.py"):
        remedy = f"Did you mean {path}.py?"
    elif os.sep not in path and not path.endswith(".py"):
        remedy = f"For a module, write -m {path}."
    return FlowFileError(f"No such flow file: {path}", remedy=remedy, code="flow-file-missing")


def _failed(error: BaseException, path: str, file: str) -> BaseException:
    """What to raise instead of `error`, which importing a flow file raised."""
    from .tracebacks import user_line, user_traceback

    if isinstance(error, (HeadraceError, KeyboardInterrupt)):
        return error
    if isinstance(error, OSError) and error.filename == file:
        return FlowFileError(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.", code="flow-file-missing")
    line = user_line(error, file)
    if isinstance(error, SystemExit):
        text, remedy = f"{path} called sys.exit({error.code!r}) while it was imported.", 'Do that under if __name__ == "__main__".'
    else:
        text, remedy = (
            f"{path} could not be imported.\n{user_traceback(error).rstrip()}",
            "Correct the file; it must import without an error.",
        )
    return FlowFileError(text, file=file or None, line=line, remedy=remedy, code="flow-file-import")


def _choose(module: ModuleType, path: str, file: str, wanted: str) -> type[FlowSpec]:
    """The one flow of a module, or the one that is wanted. Classes defined there go before imported ones."""
    found = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, FlowSpec) and value is not FlowSpec
    }
    if wanted:
        try:
            cls = attrgetter(wanted)(module)
        except AttributeError:
            cls = None
        if isinstance(cls, type) and issubclass(cls, FlowSpec):
            return cls
        import difflib

        near = difflib.get_close_matches(wanted, found, 1) or list(found)
        raise FlowFileError(
            f"{path} has no flow {wanted!r}.",
            file=file,
            remedy=f"It has {', '.join(near)}." if near else "It has no flow at all.",
            code="flow-file-class",
        )
    own = [value for value in dict.fromkeys(found.values()) if value.__module__ == module.__name__]
    flows = own or list(dict.fromkeys(found.values()))
    # a base class that cannot be a flow by itself does not make the choice a question
    flows = [cls for cls in flows if _complete(cls)] or flows
    if not flows:
        raise FlowFileError(
            f"{path} defines no flow.", file=file, remedy="Write a class that derives from headrace.FlowSpec.", code="flow-file-empty"
        )
    if len(flows) > 1:
        raise FlowFileError(
            f"{path} defines {len(flows)} flows.",
            file=file,
            remedy="Say which: " + ", ".join(f"{path}:{cls.__name__}" for cls in flows),
            code="flow-file-several",
        )
    return flows[0]


def _complete(cls: type[FlowSpec]) -> bool:
    marks = {name: mark for name in dir(cls) if (mark := mark_of(getattr(cls, name, None))) is not None}
    starts = "start" in marks or any(mark.start for mark in marks.values())
    return len(marks) == 1 or (starts and ("end" in marks or any(mark.end for mark in marks.values())))
