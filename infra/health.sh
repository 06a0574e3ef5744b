#!/usr/bin/env bash
# Whether the silo on this host is well: exit code 0 when it is. For probes inside of a container, where there may be no curl.
# Usage: health.sh live|ready [PORT]     PORT of the HTTP API, 5080 by default
set -euo pipefail

path=${1:-ready}
exec 3<> "/dev/tcp/127.0.0.1/${2:-5080}"
printf 'GET /healthz/%s HTTP/1.0\r\n\r\n' "$path" >&3
IFS= read -r -t 5 status <&3
case $status in *" 200 "*) ;; *) echo "$status" >&2; exit 1 ;; esac
