"""What the rehearsal's team has set up, as docs/setup-github.md and docs/setup-azure.md tell it to."""

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
