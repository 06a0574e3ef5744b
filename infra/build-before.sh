#!/usr/bin/env bash
# Builds the silo as it was before the newest change of what a silo is built from, for tests of two versions in one cluster.
#   infra/build-before.sh FOLDER    prints the path of its assembly; what FOLDER holds of that commit already is not built again
# Without that history (a shallow clone) it says so and ends with 3.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$1
cd "$root"
changed=$(git rev-list --max-count 1 HEAD -- src silo 2> /dev/null) || changed=''
before=$([ -z "$changed" ] || git rev-parse --verify --quiet "$changed~1") || before=''
if [ -z "$before" ]; then
  echo "There is no commit before the newest change of the silo in this clone; take the whole history: git fetch --unshallow" >&2
  exit 3
fi

mkdir -p "$folder"
exec 9> "$folder/.lock"
# One at a time: ./shoal test begins it before the test that needs it.
if command -v flock > /dev/null; then flock 9; fi
source=$folder/$before
assembly=$source/artifacts/bin/Shoal.Silo/release/Shoal.Silo.dll
if [ ! -e "$source/built" ]; then
  rm -rf "$source"
  mkdir -p "$source"
  git archive "$before" | tar --extract --directory "$source"
  # It has been analysed before. No servers that outlive it and hold its output open. From the folder itself: global.json is looked for from there upwards.
  (cd "$source" && dotnet build silo/Shoal.Silo --configuration Release --nologo --verbosity quiet -nodeReuse:false \
    -p:UseSharedCompilation=false -p:RunAnalyzers=false) >&2 < /dev/null 9>&-
  touch "$source/built"
fi

echo "$assembly"
