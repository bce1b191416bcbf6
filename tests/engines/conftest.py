"""What a run left is read through MLflow too, which tells of each step of it: a failure shows only the differences."""

import logging
import os

from local_workspace.environment import use_other_use_case

# The rules are about what the runs are about: use_case/, but where USE_CASE names another.
use_other_use_case()
os.environ["MLFLOW_CONFIGURE_LOGGING"] = "false"
for name in ("mlflow", "alembic"):
    logging.getLogger(name).setLevel(logging.ERROR)
