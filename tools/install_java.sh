#!/bin/sh
# See to it that there is a Java that Spark runs on, by the distribution's own package where that may be installed here.
set -eu
if ! command -v java >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends openjdk-17-jre-headless >/dev/null
fi
if ! command -v java >/dev/null; then
  echo "there is no java; install one of version 17 or newer (Debian: apt-get install openjdk-17-jre-headless)" >&2
  exit 1
fi
