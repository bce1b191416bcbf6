"""What a run left is read through MLflow too, which tells of each step of it: a failure shows only the differences."""

import logging
import os

os.environ["MLFLOW_CONFIGURE_LOGGING"] = "false"
for name in ("mlflow", "alembic"):
    logging.getLogger(name).setLevel(logging.ERROR)
