#!/bin/sh
# Checks that there is a Java for JVM Spark (`ENGINE=spark`, `make engines`, `make test-connect`, `make test-parity`).
set -u
fail() { echo "error: $1" >&2; exit 1; }

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
java_version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
case "$java_version" in
    17|21) ;;
    "") fail "Java was not found: install Java 17 or 21 (for example 'apt-get install openjdk-17-jre-headless') or set JAVA_HOME." ;;
    *) fail "Java $java_version was found, and Spark 4.1 needs Java 17 or 21: install one and set JAVA_HOME to it." ;;
esac
