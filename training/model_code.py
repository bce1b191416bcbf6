"""The model's code under a name of its own, so that versions with other code live side by side in one process.

A pickle names the module of its classes. Were that `use_case.model`, each version would be loaded with the code that
the process has already imported under that name: the checkout's, or that of the version loaded before.
"""

import hashlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from use_case import model

_DIGITS = 12


@contextmanager
def model_code(source: Path = Path(model.__file__)) -> Iterator[tuple[ModuleType, Path]]:
    """A copy of the code, as a module that its digest names, and the copy's file, to be logged with a model.

    The file is there as long as the block lasts, the module as long as the process.

    Args:
        source: the code; it imports nothing that a logged model has not got.
    """
    code = source.read_bytes()
    name = f"model_{hashlib.sha256(code).hexdigest()[:_DIGITS]}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.py"
        file.write_bytes(code)
        # One that is there stays: what it has made names its classes.
        yield sys.modules.get(name) or _import(name, file), file


def _import(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
