#!/bin/bash
# The page in the distribution's headless Chromium. Builds the page, makes images with real tools, and ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"
if ! command -v chromium >/dev/null; then
  [[ $(id -u) == 0 ]] || { echo "test/web/run.sh: chromium is missing: apt-get install chromium" >&2; exit 1; }
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium qemu-utils e2fsprogs; } >/dev/null
fi
[[ -e test/wasi/node_modules/.package-lock.json ]] || (cd test/wasi && npm ci --no-audit --no-fund --silent)
npx tsc -b tsconfig.core.json tsconfig.browser.json
npx tsc -p web/tsconfig.json
npx vite build -c web/vite.config.ts --logLevel warn
exec node test/web/run.js "$@"
