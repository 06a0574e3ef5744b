#!/usr/bin/env bash
# Makes certificates by which the silos and clients of a cluster know each other, for tests and trials: an authority that nobody else
# trusts, and one certificate of it for all members, valid for 30 days. A real cluster gets its own, one a member, from its operator's authority.
# Usage: test-certificates.sh FOLDER     makes FOLDER/ca.crt, FOLDER/tls.crt and FOLDER/tls.key, which ./shoal serve --tls FOLDER takes
set -euo pipefail

[ $# = 1 ] || { sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
command -v openssl > /dev/null || { echo "missing: openssl; as root: apt-get install openssl" >&2; exit 3; }
folder=$1
[ ! -e "$folder/tls.key" ] || { echo "$folder has certificates already; remove them yourself or name another folder." >&2; exit 2; }
umask 077
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quiet() { "$@" 2> "$work/said" || { cat "$work/said" >&2; exit 1; }; }

key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
quiet openssl req -x509 "${key[@]}" -keyout "$work/ca.key" -out "$folder/ca.crt" -days 30 -subj "/CN=Shoal test authority" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
quiet openssl req -new "${key[@]}" -keyout "$folder/tls.key" -out "$work/member.csr" -subj "/CN=shoal"
printf '%s\n' "basicConstraints=CA:FALSE" "keyUsage=digitalSignature" "extendedKeyUsage=serverAuth,clientAuth" "subjectAltName=DNS:shoal" > "$work/member.ext"
quiet openssl x509 -req -in "$work/member.csr" -CA "$folder/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -CAserial "$work/serial" -out "$folder/tls.crt" -days 30 -extfile "$work/member.ext"
# The authority's key is gone after this: nobody can be added.
echo "made $folder/ca.crt, $folder/tls.crt, $folder/tls.key" >&2
