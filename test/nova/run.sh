#!/bin/bash
# Debian's unmodified nova over this library, through a stand-in for the Python module `guestfs`. Installs python3-nova when it is missing
# and it may; the last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"
if ! /usr/bin/python3 -c 'import nova.conf' 2>/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-nova e2fsprogs qemu-utils openssl >/dev/null
fi
npx tsc -b tsconfig.core.json tsconfig.node.json
exec /usr/bin/python3 -W ignore test/nova/check.py
