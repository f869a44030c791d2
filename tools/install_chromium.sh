#!/bin/sh
# See to it that there is a Chromium, by the distribution's own package where that may be installed here.
set -eu
chromium=$1
if [ ! -x "$chromium" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null
fi
if [ ! -x "$chromium" ]; then
  echo "there is no Chromium at $chromium; install it (Debian: apt-get install chromium), or set CHROMIUM=…" >&2
  exit 1
fi
