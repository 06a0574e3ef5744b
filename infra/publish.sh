#!/usr/bin/env bash
# Publishes the silo and the command line for a container image: what the Dockerfile runs, and what a test runs outside of one.
# Usage: publish.sh FOLDER     makes FOLDER/silo and FOLDER/cli
set -euo pipefail

[ $# = 1 ] || { sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
for what in silo/Shoal.Silo:silo client/Shoal.Cli:cli; do
  dotnet publish "${what%:*}" --configuration Release --nologo --verbosity quiet --output "$1/${what#*:}"
done
