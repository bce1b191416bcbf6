"""The process that Spark's Python workers are forked from: what they would each import is imported here, once."""

from importlib import import_module

# What a task in Python needs: the contract's checks, and MLflow with a scikit-learn model.
PRELOADED = (
    *("pandas", "pyarrow", "pandera.pandas", "mlflow.pyfunc", "sklearn.ensemble", "sklearn.pipeline"),
    # Loading a model makes MLflow open its store.
    "mlflow.store.tracking.sqlalchemy_store",
)

if __name__ == "__main__":
    from pyspark import daemon

    for module in PRELOADED:
        import_module(module)
    daemon.manager()  # type: ignore[no-untyped-call]
