#!/bin/sh
# Installs the client programs of the interop tests on Debian 12 (as root), those that are missing only.
set -eu

package_of() {
  case $1 in
    openssl) echo openssl ;;
    curl) echo curl ;;
    gnutls-cli) echo gnutls-bin ;;
    tstclnt | certutil) echo libnss3-tools ;;
    go) echo golang-go ;;
    java | javac) echo default-jdk-headless ;;
  esac
}

missing=
for program in openssl curl gnutls-cli tstclnt certutil go java javac; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $(package_of "$program")"
done

if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  # shellcheck disable=SC2086 # one word a package
  apt-get install -y --no-install-recommends $missing
fi

# An installation that leaves one out must fail here, not as a skipped test later.
for program in openssl curl gnutls-cli tstclnt certutil go java javac; do
  command -v "$program" >/dev/null 2>&1 || { echo "install-peers: $program is still missing" >&2; exit 1; }
done
