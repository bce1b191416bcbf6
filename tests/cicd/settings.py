"""What the rehearsal's team has set up, as docs/setup-github.md and docs/setup-azure.md tell it to."""

import yaml

from local_workspace.workspace import REPOSITORY
from tests.bundle.standin import PRINCIPAL

# GitHub's variables of each environment; on Azure the variable group of the same name.
SETTINGS = {
    "pull-request": {
        "DATABRICKS_HOST": "https://staging.invalid",
        "DATABRICKS_CLIENT_ID": "pull-request-client",
        "PROD_DATABRICKS_HOST": "https://prod.invalid",
        "PROD_DATABRICKS_CLIENT_ID": "prod-reader-client",
    },
    "staging": {"DATABRICKS_HOST": "https://staging.invalid", "DATABRICKS_CLIENT_ID": "staging-client"},
    "prod": {"DATABRICKS_HOST": "https://prod.invalid", "DATABRICKS_CLIENT_ID": "prod-client"},
}

# The Databricks account, which federation policies take for their audience.
AUDIENCE = "00000000-1111-2222-3333-444444444444"

# What the team fills in, in a file of its own. The stand-in runs jobs on this machine's catalog.
VALUES_FILE = "resources/values.yml"
_SHARED = f"""    variables:
      catalog: spark_catalog
      service_principal: {PRINCIPAL}
      engineers_group: engineers
      readers_group: readers
      notification_email: team@arrival-delay.test
"""
_OWN = """    variables:
      catalog: spark_catalog
"""
# What the target test has of the use case's sample is enough for staging's smoke run to train a model that passes.
_OF_SAMPLE = yaml.safe_load((REPOSITORY / "use_case" / "bundle.yml").read_text())["targets"]["test"]["variables"]
_STAGING = _SHARED + "".join(f'      {name}: "{value}"\n' for name, value in _OF_SAMPLE.items())
VALUES = f"targets:\n  dev:\n{_OWN}  test:\n{_OWN}  staging:\n{_STAGING}  prod:\n{_SHARED}"
