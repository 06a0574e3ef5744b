#!/usr/bin/env bash
# Gives libtorch the C++ runtime it needs (GLIBCXX_3.4.32, GCC 13) when, and only when, it is missing.
# Usage: native-deps.sh [--check]     --check installs nothing: it names what is missing and exits 3.
# Exits 0 when nothing is missing, 3 when something is and was not installed.
set -euo pipefail

need=GLIBCXX_3.4.32
check_only=false
[ "${1:-}" = "--check" ] && check_only=true

# Debian keeps ldconfig off the path of ordinary users.
PATH=$PATH:/usr/sbin:/sbin
library() { ldconfig -p 2>/dev/null | awk '/libstdc\+\+\.so\.6 .*(x86-64|AArch64)/ && !found { print $NF; found = 1 }'; }
satisfied() { local lib; lib=$(library); [ -n "$lib" ] && grep -qa "$need" "$lib"; }

if [ "$(uname -s)" != Linux ] || satisfied; then exit 0; fi

ID='' VERSION_ID=''
[ -r /etc/os-release ] && . /etc/os-release
# Debian 13 is here for images without a C++ runtime, and for a Debian 12 whose installation below broke off:
# the new libc6 brings base-files along, after which the system calls itself 13.
case "$ID:$VERSION_ID" in
  debian:12 | debian:13)
    can_install=true
    remedy="as root: infra/native-deps.sh   (takes libstdc++6, gcc-14-base and libc6 from Debian 13, about 20 s)" ;;
  *)
    can_install=false
    remedy="install libstdc++6 of GCC 13 or newer (Ubuntu 24.04 and Debian 13 bring it: apt-get install libstdc++6)" ;;
esac
if $check_only || ! $can_install || [ "$(id -u)" != 0 ]; then
  echo "missing: the C++ runtime has no $need, which libtorch 2.10 needs; $remedy" >&2
  exit 3
fi

echo "installing: libstdc++6 from Debian 13 (libtorch 2.10 needs $need; Debian 12 has GCC 12's)" >&2
# The mirror is the one this system already uses; only the suite differs. A fresh image has no package lists yet.
mirror() {
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 2>/dev/null \
    | awk '($2 == "bookworm" || $2 == "trixie") && !found { print $1; found = 1 }'
}
[ -n "$(mirror)" ] || apt-get update -qq >&2
mirror=$(mirror)
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
apt-get update -qq >&2
apt-get install -y -qq --no-install-recommends -t trixie libstdc++6 > /dev/null
rm -f "$list" "$pin"
apt-get update -qq >&2
ldconfig
satisfied || { echo "missing: $need is still not in $(library); see docs/troubleshooting.md" >&2; exit 3; }
echo "installed: $(library) now has $need" >&2
