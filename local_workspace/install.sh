#!/bin/sh
# install.sh ENVIRONMENT LOCKFILE: makes the virtual environment and installs the locked versions into it.
# Every way this can fail on a newcomer's machine ends in one sentence that says what to do.
set -u
environment=$1
lockfile=$2

fail() { echo "error: $1" >&2; exit 1; }

find_python() {
    for candidate in "${PYTHON:-}" python3.12 python3 python; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 12))' >/dev/null 2>&1; then
            echo "$candidate"; return
        fi
    done
}

python=$(find_python)
[ -n "$python" ] || fail "Python 3.12 with its venv module was not found: install it (for example 'pyenv install 3.12' or 'apt-get install python3.12-venv') or set PYTHON to it."

if [ -e "$environment" ] && [ ! -f "$environment/pyvenv.cfg" ]; then
    fail "'$environment' already exists and is not a virtual environment: move it away and try again."
fi

if [ ! -x "$environment/bin/uv" ]; then
    echo "Making $environment with $("$python" --version)"
    "$python" -m venv "$environment" || fail "'$environment' could not be made: check that this folder can be written to."
    uv=$(grep '^uv==' "$lockfile")
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$uv" 2>"$environment/pip.log" \
        || fail "nothing could be downloaded: check the network and that pip reaches a package index (details: $environment/pip.log)."
fi

echo "Installing $lockfile into $environment (the first time takes a minute or two)"
# Compiled now, once, and not by every process that imports them.
sh "$(dirname "$0")/uv.sh" "$environment" pip install --quiet --compile-bytecode --python "$environment/bin/python" -r "$lockfile" 2>"$environment/uv.log" \
    || fail "packages of $lockfile could not be installed: check the network and that uv reaches a package index; it asks the one that pip is set up for, or what UV_DEFAULT_INDEX, UV_INDEX, UV_INSECURE_HOST and SSL_CERT_FILE say (details: $environment/uv.log)."
