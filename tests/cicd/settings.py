"""What the rehearsal's team has set up, as docs/setup-github.md and docs/setup-azure.md tell it to."""

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
# Two months of the sample are enough for staging's smoke run to train a model that passes. The sample ends with 2013.
_STAGING = f"""{_SHARED}      history_start: "2013-06-01T00:00:00Z"
      as_of: "2013-08-01T00:00:00Z"
"""
VALUES = f"targets:\n  dev:\n{_OWN}  test:\n{_OWN}  staging:\n{_STAGING}  prod:\n{_SHARED}"
