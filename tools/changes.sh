#!/bin/sh
# Says whether the commit that HEAD merges changes more than documents: true or false, on one line.
# Both systems check out a pull request as a merge, whose first parent is the branch that it goes to.
set -eu

base=$(git rev-parse --verify --quiet 'HEAD^1^{commit}') || {
    echo "error: the commit before HEAD is not here: check out with a depth of 2 at least." >&2
    exit 1
}
# Of this folder alone, should it be one of a larger repository; GitHub reads its files at the root.
changed=$(git diff --name-only "$base" HEAD -- . ':(top).github' ':(exclude)docs/**' ':(exclude)*.md')
if [ -n "$changed" ]; then echo true; else echo false; fi
