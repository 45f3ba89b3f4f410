#!/bin/bash
# Real programs of WASI (from npm) over a guest, judged by the same programs over the kernel's mount. Installs what is missing when it may; the last line is
# `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive
if ! command -v ruby >/dev/null && [[ $(id -u) == 0 ]]; then
  { apt-get update -q && apt-get install -y -q --no-install-recommends ruby qemu-utils e2fsprogs mount; } >/dev/null 2>&1
fi
command -v ruby >/dev/null || { echo 'ruby is missing' >&2; echo '0 passed, 1 failed'; exit 1; }
npx tsc -b tsconfig.core.json tsconfig.node.json || exit 1
(cd test/wasi && { [[ -e node_modules/.package-lock.json ]] || npm ci --no-audit --no-fund --silent; }) || { echo '0 passed, 1 failed'; exit 1; }
exec node test/wasi/check.js
