#!/bin/sh
# Installs the clients and servers of the interop tests on Debian 12 (as root), those that are missing only.
set -eu

package_of() {
  case $1 in
    openssl) echo openssl ;;
    curl) echo curl ;;
    gnutls-cli | gnutls-serv) echo gnutls-bin ;;
    tstclnt | selfserv | certutil | pk12util) echo libnss3-tools ;;
    go) echo golang-go ;;
    java | javac) echo default-jdk-headless ;;
    nginx) echo nginx ;;
    haproxy) echo haproxy ;;
    gcc) echo gcc libc6-dev ;;
    chromium) echo chromium ;;
    firefox-esr) echo firefox-esr ;;
  esac
}

programs='openssl curl gnutls-cli gnutls-serv tstclnt selfserv certutil pk12util go java javac nginx haproxy gcc chromium firefox-esr'

missing=
for program in $programs; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $(package_of "$program")"
done
[ -e /usr/include/openssl/ssl.h ] || missing="$missing libssl-dev"

if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  # shellcheck disable=SC2086 # one word a package
  apt-get install -y --no-install-recommends $missing
fi

# An installation that leaves one out must fail here, not as a skipped test later.
for program in $programs; do
  command -v "$program" >/dev/null 2>&1 || { echo "install-peers: $program is still missing" >&2; exit 1; }
done
[ -e /usr/include/openssl/ssl.h ] || { echo 'install-peers: openssl/ssl.h is still missing' >&2; exit 1; }
