"""What runs in the fresh process: it loads a model, answers its example, and scores rows. A script, not a module.

    python -I fresh_process.py <folder>

`request.json` in the folder names the model's folder and the modules that its requirements bring; `rows.parquet` has
the rows to score. Beside them it writes `predictions.npy` and `answer.json`. It imports nothing of this project.
"""

import json
import os
import sys
import sysconfig
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any


class OnlyRequirements(MetaPathFinder):
    """Refuses each module that neither Python, nor a requirement, nor the model's own code brings."""

    def __init__(self, modules: set[str], model: Path) -> None:
        """Takes the top-level names of what the requirements bring, and the model's folder."""
        self._allowed = modules | set(sys.stdlib_module_names)
        self._model = str(model)
        # Python's own folders have modules too that no list of it names.
        library = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
        self._python = library | {folder / "lib-dynload" for folder in library}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """None lets the usual finders look: they find it, or say that it is not there."""
        if name.partition(".")[0] in self._allowed:
            return None
        own = [one for one in sys.path if one.startswith(self._model) or Path(one) in self._python]
        found = PathFinder.find_spec(name, path or own, target)
        if found is None:
            raise ModuleNotFoundError(f"{name} is not among the model's requirements", name=name)
        return found


def answer(folder: Path) -> dict[str, Any]:
    """Loads, answers, scores: `example_rows`, `example_keeps_signature`, `inputs_there`, `rows`, `seconds`."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    model_folder = Path(request["model"])
    sys.meta_path.insert(0, OnlyRequirements(set(request["modules"]), model_folder))
    # Only what the requirements bring can be imported from here on.
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415
    from mlflow.models import infer_signature  # noqa: PLC0415
    from mlflow.pyfunc import load_model  # noqa: PLC0415

    model = load_model(str(model_folder))
    example, signature = model.input_example, model.metadata.signature
    said: dict[str, Any] = {"example_rows": 0, "answered_rows": 0, "keeps_signature": False}
    if example is not None and signature is not None:
        given = model.predict(example)
        said["example_rows"], said["answered_rows"] = len(example), int(np.isfinite(np.asarray(given)).sum())
        said["keeps_signature"] = infer_signature(example, given).outputs == signature.outputs
    rows = pd.read_parquet(folder / "rows.parquet")
    began = time.perf_counter()
    predictions = np.asarray(model.predict(rows), dtype=float)
    said["seconds"] = time.perf_counter() - began
    np.save(folder / "predictions.npy", predictions)
    return said


if __name__ == "__main__":
    at = Path(sys.argv[1])
    (at / "answer.json").write_text(json.dumps(answer(at)), encoding="utf-8")
    # All is said: libraries that still have threads may abort where an interpreter ends in order.
    os._exit(0)
