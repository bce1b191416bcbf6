#!/bin/sh
# build.sh FOLDER: builds the Databricks CLI and the stand-in workspace from source into FOLDER, unless what is there
# was built from these very sources.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")"

sources=$(cat go.mod go.sum ./*.go build.sh | cksum)
if [ -x "$folder/databricks" ] && [ -x "$folder/workspace" ] && [ "$(cat "$folder/sources" 2>/dev/null)" = "$sources" ]; then
    exit 0
fi
if ! command -v go >/dev/null 2>&1; then
    echo "error: Go was not found: install Go $(sed -n 's/^go //p' go.mod) or newer, which builds the Databricks CLI (https://go.dev/doc/install)." >&2
    exit 1
fi

version=$(sed -n 's|^.*github.com/databricks/cli v||p' go.mod)
[ -n "$version" ]
echo "Building the Databricks CLI $version and the stand-in workspace (the first time takes about three minutes)"
made=$(mktemp -d "$folder/build.XXXXXX")
trap 'rm -rf "$made"' EXIT
# The compiler collects its garbage less often: a quarter less processor time, for more memory.
GOGC=400 go build -ldflags "-s -w -X github.com/databricks/cli/internal/build.buildVersion=$version" -o "$made/" \
    github.com/databricks/cli .
mv "$made/cli" "$folder/databricks"
mv "$made/workspace" "$folder/workspace"
echo "$sources" >"$folder/sources"
