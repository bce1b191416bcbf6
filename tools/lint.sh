#!/bin/sh
# lint.sh PYTHON_TOOLS GO_TOOLS: checks the shell scripts, and what the CI systems read; of a system that was taken away,
# nothing. What is to be checked must be found: a glob that matches nothing fails.
set -eu
python_tools=$1
go_tools=$2

find tools local_workspace tests -name '*.sh' -exec "$python_tools/shellcheck" {} +
if [ -d .ci ]; then "$python_tools/shellcheck" .ci/run; fi

if [ -d .github ]; then
    "$python_tools/zizmor" -qq --offline --pedantic .github
    "$python_tools/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
    "$python_tools/check-jsonschema" --builtin-schema vendor.dependabot .github/dependabot.yml
    if command -v go >/dev/null 2>&1; then
        go -C tools/actionlint build -o "$PWD/$go_tools/" github.com/rhysd/actionlint/cmd/actionlint
        "$go_tools/actionlint"
    else
        echo "skipped: actionlint, which Go builds, for Go was not found (CI has it)."
    fi
fi
if [ -d .azure ]; then
    # The schema's patterns are for regular expressions without the unicode flag.
    "$python_tools/check-jsonschema" --builtin-schema vendor.azure-pipelines --regex-variant nonunicode .azure/*.yml
fi
