#!/usr/bin/env bash
# The newcomer's path: a bare Debian made by debootstrap, a clone of this repository's HEAD in it, and there the README's commands as printed (follow-readme.sh).
# Usage, as root: infra/newcomer.sh bookworm|trixie [FOLDER] [--as-user] [--without-node] [--with-tests] [--readme FILE] [--keep]
#   FOLDER          where the root is made, and removed at the end unless --keep; by default a new one in /var/tmp. 8 GB
#   --as-user       an ordinary user of that system clones and runs; otherwise root
#   --without-node  leaves it to ./shoal to install Node
#   --readme FILE   instead of the README that was committed: with a wrong command in it this script must fail
# What a machine has before: the .NET 10 SDK and Node, copied from here, with what the SDK's own packages depend on; git; about 400 pictures in ~/Pictures.
# Mounts and processes live in namespaces that end with each step; the network is this machine's, with its mirror, proxy, certificates and registries.
set -euo pipefail

repository=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite='' folder='' user=root keep=false node=true readme='' follow=()
while [ $# != 0 ]; do
  case $1 in
    bookworm | trixie) suite=$1 ;;
    --as-user) user=newcomer ;;
    --without-node) node=false ;;
    --with-tests) follow+=("$1") ;;
    --readme) readme=$(realpath -e "$2"); shift ;;
    --keep) keep=true ;;
    -*) echo "newcomer.sh: unknown: $1" >&2; exit 2 ;;
    *) folder=$1 ;;
  esac
  shift
done
[ -n "$suite" ] || { sed -n '3s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "newcomer.sh: needs root, for debootstrap and chroot" >&2; exit 3; }
command -v debootstrap > /dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap > /dev/null; }

if [ -z "$folder" ]; then folder=$(mktemp -d "/var/tmp/newcomer-$suite.XXXXXX"); chmod 755 "$folder"; else mkdir "$folder"; folder=$(cd -P "$folder" && pwd); fi
remove() {
  if $keep; then echo "kept: $folder"; return; fi
  # Nothing is mounted here outside of the namespaces below; but what is mounted would be removed, too.
  if findmnt -rn -o TARGET | grep -qF "$folder/"; then echo "not removed, for something is mounted in it: $folder" >&2; return; fi
  rm -rf --one-file-system "$folder"
}
trap remove EXIT
step() { echo "-- $1 ($SECONDS s)"; }

# The environment of a first login, and what this machine says of its network in variables. The SDK need not report that a test ran it.
mapfile -t network < <(env | grep -iE '^([a-z]+_proxy|SSL_CERT_[A-Z]+|NODE_EXTRA_CA_CERTS|NUGET_[A-Z_]+|npm_config_[a-z_]+)=')
# inside USER COMMAND ARGS...: runs it in the root; what it mounts and starts is gone when it ends.
inside() {
  local home=/root
  [ "$1" = root ] || home=/home/$1
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child -- bash -c \
    'mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys" && mount -t devpts devpts "$1/dev/pts" && shift && exec chroot "$0" "$@"' "$folder" "$folder" \
    setpriv --reuid "$1" --regid "$1" --init-groups \
    env -i HOME="$home" USER="$1" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive DOTNET_CLI_TELEMETRY_OPTOUT=1 "${network[@]}" "${@:2}"
}

step "debootstrap $suite"
# shellcheck disable=SC2016
mirror() { apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk '$2 ~ /^(bookworm|trixie)$/ && !found { print $1; found = 1 }'; }
[ -n "$(mirror)" ] || apt-get update -qq
mirror=$(mirror)
[ -n "$mirror" ] || { echo "newcomer.sh: no Debian mirror is configured in /etc/apt" >&2; exit 3; }
unshare --mount -- debootstrap --variant=minbase "$suite" "$folder" "$mirror" > /dev/null || { tail "$folder/debootstrap/debootstrap.log" >&2; exit 1; }

step "what the machine has before"
cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
apt-config dump | grep -E '^Acquire::(https?::|Check-)' > "$folder/etc/apt/apt.conf.d/90network" || true
mkdir -p "$folder/usr/local/share/ca-certificates"
cp -rL /usr/local/share/ca-certificates/. "$folder/usr/local/share/ca-certificates/"
inside root bash -euc 'apt-get update -qq
  apt-get install -y -qq --no-install-recommends git ca-certificates libgcc-s1 "^libicu[0-9]+$" "^libssl3(t64)?$" libstdc++6 tzdata zlib1g > /dev/null'
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
mkdir -p "$folder/usr/share/dotnet"
cp -a "$sdk/." "$folder/usr/share/dotnet/"
ln -s /usr/share/dotnet/dotnet "$folder/usr/bin/dotnet"
if $node; then
  mkdir -p "$folder/usr/local/lib/node_modules" "$folder/usr/local/etc"
  cp -L "$(command -v node)" "$folder/usr/local/bin/"
  cp -a "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$folder/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$folder/usr/local/bin/npx"
  global=$(npm config get globalconfig)
  [ ! -e "$global" ] || cp "$global" "$folder/usr/local/etc/npmrc"
fi

[ "$user" = root ] || inside root useradd --create-home --shell /bin/bash "$user"
# shellcheck disable=SC2016
home=$(inside "$user" sh -c 'echo $HOME')
for file in .npmrc .nuget/NuGet/NuGet.Config; do
  if [ -e ~/"$file" ]; then inside "$user" mkdir -p "$home/$(dirname $file)"; cp ~/"$file" "$folder$home/$file"; chmod a+r "$folder$home/$file"; fi
done
# Six kinds of patterns, drawn anew for each picture. The tools for it go again: the system stays as bare as it was.
inside root bash -euc 'apt-get install -y -qq --no-install-recommends netpbm > /dev/null'
# shellcheck disable=SC2016
inside "$user" bash -euc '
  draw() { mkdir -p ~/Pictures/$1; for n in $(seq 1 70); do ppmpat $2 -randomseed=$n 160 120 2> /dev/null | $3 2> /dev/null > ~/Pictures/$1/$(printf "IMG_%04d.$4" $n); done; }
  draw holiday -camo "pnmtojpeg -quality=90" jpg
  draw garden -poles "pnmtojpeg -quality=90" jpg
  draw town -gingham2 "pnmtojpeg -quality=90" jpg
  draw clothes -tartan "pnmtojpeg -quality=90" jpg
  draw wool -squig pnmtopng png
  draw tiles -argyle1 pnmtopng png'
inside root bash -euc 'apt-get purge -y -qq --autoremove netpbm > /dev/null'

step "clone"
git -C "$repository" bundle create -q "$folder/shoal.bundle" HEAD
inside "$user" git clone -q -c advice.detachedHead=false /shoal.bundle "$home/shoal"
if [ -n "$readme" ]; then cat "$readme" > "$folder$home/shoal/README.md"; fi

step "the README's commands, as $user"
# shellcheck disable=SC2016
inside "$user" bash -c 'cd ~/shoal && exec infra/follow-readme.sh "$@"' _ ${follow[@]+"${follow[@]}"}
step "done: $suite, as $user"
