#!/usr/bin/env bash
# Gives libtorch the C++ runtime it needs (GLIBCXX_3.4.32, GCC 13) when, and only when, it is missing.
# Usage: native-deps.sh [--check]     --check installs nothing: it names what is missing and exits 3.
# Exits 0 when nothing is missing, 3 when something is and was not installed.
set -euo pipefail

need=GLIBCXX_3.4.32
check_only=false
[ "${1:-}" = "--check" ] && check_only=true

library() { ldconfig -p 2>/dev/null | awk '/libstdc\+\+\.so\.6 .*x86-64|libstdc\+\+\.so\.6 .*AArch64/ { print $NF; exit }'; }
satisfied() { local lib; lib=$(library); [ -n "$lib" ] && grep -qa "$need" "$lib"; }

if [ "$(uname -s)" != Linux ] || satisfied; then exit 0; fi

. /etc/os-release
case "${ID:-}:${VERSION_ID:-}" in
  debian:12)
    remedy="as root: infra/native-deps.sh   (takes libstdc++6, gcc-14-base and libc6 from Debian 13, about 20 s)" ;;
  *)
    remedy="install libstdc++6 of GCC 13 or newer (Ubuntu 24.04 and Debian 13 bring it: apt-get install libstdc++6)" ;;
esac
if $check_only || [ "${ID:-}:${VERSION_ID:-}" != debian:12 ] || [ "$(id -u)" != 0 ]; then
  echo "missing: the C++ runtime has no $need, which libtorch 2.10 needs; $remedy" >&2
  exit 3
fi

echo "installing: libstdc++6 from Debian 13 (libtorch 2.10 needs $need; Debian 12 has GCC 12's)"
# The mirror is the one this system already uses; only the suite differs.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 2>/dev/null \
  | awk '$2 == "bookworm" { print $1; exit }')
[ -n "$mirror" ] || { echo "missing: no Debian mirror is configured for bookworm in /etc/apt; add one, then run this again" >&2; exit 3; }

list=/etc/apt/sources.list.d/shoal-trixie.sources
pin=/etc/apt/preferences.d/shoal-trixie
trap 'rm -f "$list" "$pin"' EXIT
cat > "$list" <<EOF
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
# Priority below 100: nothing comes from trixie unless it is asked for by name.
printf 'Package: *\nPin: release n=trixie\nPin-Priority: 50\n' > "$pin"

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends -t trixie libstdc++6 > /dev/null
rm -f "$list" "$pin"
apt-get update -qq
ldconfig
satisfied || { echo "missing: $need is still not in $(library); see docs/troubleshooting.md" >&2; exit 3; }
echo "installed: $(library) now has $need"
