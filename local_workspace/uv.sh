#!/bin/sh
# uv.sh ENVIRONMENT WORDS…: runs an environment's uv with the package index that its pip is set up for. uv reads nothing
# of pip's own settings; what uv has been told itself stays.
set -u
environment=$1
shift

settings=$("$environment/bin/python" -m pip config list 2>/dev/null)

pip_setting() {
    # As pip does: the environment beats what is for `pip install`, and that what is for all. Several stand on lines.
    for section in :env: install global; do
        value=$(printf '%s\n' "$settings" | sed -n "s/^$section\.$1=['\"]\(.*\)['\"]\$/\1/p" | sed 's/\\n/ /g')
        [ -z "$value" ] || { printf '%s' "$value"; return; }
    done
}

hand_over() {
    value=$(pip_setting "$1")
    [ -z "$value" ] || export "$2=$value"
}

[ -n "${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-}}" ] || hand_over index-url UV_DEFAULT_INDEX
[ -n "${UV_INDEX:-${UV_EXTRA_INDEX_URL:-}}" ] || hand_over extra-index-url UV_INDEX
[ -n "${UV_INSECURE_HOST:-}" ] || hand_over trusted-host UV_INSECURE_HOST
[ -n "${SSL_CERT_FILE:-}" ] || hand_over cert SSL_CERT_FILE

exec "$environment/bin/uv" "$@"
