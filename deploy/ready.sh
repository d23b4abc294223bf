#!/usr/bin/env bash
# Asks the process in this container whether it is ready; for the image's health check. The image has
# no HTTP client, and needs none for this.
set -euo pipefail
port=${1:-9464}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
IFS=' ' read -r _ status _ <&3
[ "$status" = 200 ]
