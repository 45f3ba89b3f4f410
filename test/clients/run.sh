#!/bin/bash
# Unmodified clients of libguestfs, as Debian ships them, over the stand-in. Installs them when they are missing and it may; the last line is
# `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive
passed=0 failed=0

missing() {
  for command in guestfish guestmount guestunmount virt-cat virt-ls virt-df virt-filesystems virt-inspector virt-tar-in virt-copy-in virt-edit virt-diff \
    virt-log virt-customize virt-sysprep virt-resize virt-sparsify virt-get-kernel virt-alignment-scan qemu-img genisoimage pgrep; do
    command -v "$command" >/dev/null || echo "$command"
  done
  /usr/bin/python3 -c 'import guestfs' 2>/dev/null || echo python3-guestfs
  /usr/bin/python3 -c 'import nova.conf' 2>/dev/null || echo python3-nova
}
if [[ -n $(missing) && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  log=$(mktemp)
  { apt-get update -q && apt-get install -y -q --no-install-recommends libguestfs-tools guestfs-tools guestfish guestmount python3-guestfs \
    python3-nova qemu-utils e2fsprogs openssl genisoimage procps fuse3; } >"$log" 2>&1 || tail -20 "$log" >&2
  rm -f "$log"
fi
if [[ -n $(missing) ]]; then
  echo "the clients are missing: $(missing | tr '\n' ' ')" >&2
  echo '0 passed, 1 failed'
  exit 1
fi

./guestless --version >/dev/null || exit 1
suite() {
  local log last
  log=$(mktemp)
  echo "## $*"
  "$@" 2>&1 | tee "$log"
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -1)
  rm -f "$log"
  [[ -n $last ]] || last='0 passed, 1 failed'
  passed=$((passed + ${last%% passed*}))
  last=${last##*, }
  failed=$((failed + ${last%% failed*}))
}
suite node test/clients/run.js
suite node test/clients/faults.js
suite node test/clients/fish.js
suite bash -c 'eval "$(./guestless appliance env)"; exec /usr/bin/python3 -W ignore test/nova/check.py --stand-in'
cases=${GUESTFS_API_CASES:-../shared/guestfs-api}
if [[ -e $cases/run.py ]]; then
  suite bash test/clients/api-cases.sh "$cases"
else
  echo "## the cases of the libguestfs API are not here ($cases): not run"
fi
echo "$passed passed, $failed failed"
[[ $failed == 0 && $passed -gt 0 ]]
