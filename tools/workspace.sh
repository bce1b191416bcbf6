#!/bin/sh
# workspace.sh ENVIRONMENT: tells the CI system whether the environment's workspace is set up, as the output `workspace`.
# None of its variables is set: false, with a notice. All are: true. Some are: it fails, and names those that are not.
set -eu
environment=$1
names="DATABRICKS_HOST DATABRICKS_CLIENT_ID"
if [ "$environment" = pull-request ]; then
    names="$names PROD_DATABRICKS_HOST PROD_DATABRICKS_CLIENT_ID"
fi

found="" missing=""
for name in $names; do
    if [ -n "$(printenv "$name")" ]; then found="$found $name"; else missing="$missing $name"; fi
done

if [ -n "$found" ] && [ -n "$missing" ]; then
    echo "error: the environment $environment has$found, but not$missing: set them too, as docs/cicd.md says." >&2
    exit 1
fi
workspace=true
if [ -n "$missing" ]; then
    workspace=false
    notice="The environment $environment has no workspace yet, so what needs one is skipped. docs/cicd.md says how to set it up."
    if [ -n "${TF_BUILD:-}" ]; then
        echo "##vso[task.logissue type=warning]$notice"
    elif [ -n "${GITHUB_ACTIONS:-}" ]; then
        echo "::notice::$notice"
    else
        echo "$notice"
    fi
fi
if [ -n "${TF_BUILD:-}" ]; then
    echo "##vso[task.setvariable variable=workspace;isOutput=true]$workspace"
elif [ -n "${GITHUB_OUTPUT:-}" ]; then
    echo "workspace=$workspace" >> "$GITHUB_OUTPUT"
fi
