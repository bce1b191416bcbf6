"""The champion without a server: one process that asks it again and again (`python -m benchmarks.bare_model FILE`)."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from local_workspace.bundle import load_bundle
from local_workspace.workspace import REPOSITORY, find_workspace


def main(file: Path, seconds: float) -> None:
    """Predicts for the requests of a file for some seconds, and prints the figures as JSON.

    The requests are dataframes before the clock starts: what is timed is the model's own `predict`.
    """
    find_workspace().enter()
    # After the workspace is entered: MLflow takes its settings when it is imported.
    from local_workspace.serving.served_model import load_version  # noqa: PLC0415
    from project.registry import champion_version  # noqa: PLC0415

    name = str(load_bundle(REPOSITORY).resource("registered_models", "model")["id"])
    served = load_version(name, champion_version(name) or "")
    bodies = [body["dataframe_split"] for body, _ in json.loads(file.read_text(encoding="utf-8"))]
    frames = [pd.DataFrame(body["data"], columns=body["columns"])[served.spec.model_inputs] for body in bodies]
    numbers = [name for name in served.spec.model_inputs if served.kinds[name] == "double"]
    typed = [frame.astype(dict.fromkeys(numbers, "float64")) for frame in frames]
    served.model.predict(typed[0])
    times: list[float] = []
    while sum(times) < seconds:
        began = time.perf_counter()
        served.model.predict(typed[len(times) % len(typed)])
        times.append(time.perf_counter() - began)
    in_ms = np.array(times) * 1000
    figures = {"per_second": len(times) / sum(times), "p50_ms": np.percentile(in_ms, 50)}
    print(json.dumps({"rows": len(frames[0]), **figures, "p99_ms": np.percentile(in_ms, 99)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
