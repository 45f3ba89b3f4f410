#!/bin/bash
# The proof that a guest lives with what was done to its disk: a real Debian, edited into an overlay, boots under qemu, runs what was put
# into it, writes a file of its own and shuts down; that file is then read from the overlay. Needs root (debootstrap); no KVM.
# The last line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/sbin:/sbin"
cache=$PWD/.cache/boot
base=$cache/base.qcow2
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() {
  local name=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    tail -20 "$work/check.log"
  fi
}
finish() {
  echo "$passed passed, $failed failed"
  [[ $failed == 0 && $passed -gt 0 ]]
  exit
}
give_up() {
  echo "FAIL $1"
  failed=$((failed + 1))
  finish
}

command -v qemu-system-x86_64 >/dev/null || apt-get install -y --no-install-recommends qemu-system-x86 seabios >/dev/null 2>&1
command -v debootstrap >/dev/null || apt-get install -y --no-install-recommends debootstrap >/dev/null 2>&1

# The base: a Debian with systemd and a kernel, in the one partition of a GPT disk.
if [[ ! -e $base ]]; then
  [[ $(id -u) == 0 ]] || give_up "making the base image needs root"
  mkdir -p "$cache"
  mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | head -1)}
  tree=$cache/tree
  rm -rf "$tree"
  debootstrap --variant=minbase --include=systemd-sysv,udev,initramfs-tools,linux-image-cloud-amd64 "${SUITE:-bookworm}" "$tree" "$mirror" \
    >"$cache/debootstrap.log" 2>&1 || give_up "debootstrap; see $cache/debootstrap.log"
  # debootstrap leaves file systems of this machine mounted in the tree.
  while read -r mounted; do umount "$mounted"; done < <(awk -v tree="$tree/" 'index($2, tree) == 1 {print $2}' /proc/mounts | sort -r)
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
  echo 'LABEL=boot-root / ext4 errors=remount-ro 0 1' >"$tree/etc/fstab"
  echo booted >"$tree/etc/hostname"
  truncate -s 1400M "$cache/root.raw" && mke2fs -q -t ext4 -L boot-root -d "$tree" "$cache/root.raw" || give_up "mke2fs"
  truncate -s 1402M "$cache/disk.raw" && sgdisk -n1:2048:+1400M -t1:8304 "$cache/disk.raw" >/dev/null || give_up "sgdisk"
  dd if="$cache/root.raw" of="$cache/disk.raw" bs=1M seek=1 conv=notrunc,sparse status=none
  qemu-img convert -f raw -O qcow2 "$cache/disk.raw" "$base.part" && mv "$base.part" "$base" || give_up "qemu-img convert"
  rm -rf "$tree" "$cache/root.raw" "$cache/disk.raw"
fi
before=$(sha256sum <"$base")

# What a user would do: kernel and initrd out, a service in, into overlays of overlays, the base untouched.
kernel=$(./guestless ls "$base" /boot | grep '^vmlinuz' | head -1)
initrd=$(./guestless ls "$base" /boot | grep '^initrd' | head -1)
check "kernel and initrd are copied out" ./guestless copy-out "$base" "/boot/$kernel" "/boot/$initrd" "$work"
cat >"$work/marker.service" <<'END'
[Unit]
Description=Tells that it runs, and shuts the machine down
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cat /etc/marker /srv/many/400 >/dev/ttyS0; sha256sum /srv/blob >/srv/written-by-guest; sync; systemctl poweroff'
END
echo "guestless-marker-$RANDOM$RANDOM" >"$work/marker"
head -c 5000000 /dev/urandom >"$work/blob"
mkdir "$work/many" && for i in $(seq 1 400); do echo "file $i of many" >"$work/many/$i"; done
overlay=$work/overlay.qcow2
# An overlay beside the base's folder chain: each verb makes one, the next one builds on it.
check "inject" ./guestless inject --overlay "$work/1.qcow2" --file "/etc/marker=$work/marker" \
  --file "/etc/systemd/system/marker.service=$work/marker.service" --file "/srv/blob=$work/blob" "$base"
tar -C "$work" -cf "$work/many.tar" many
allow=(--allow-backing "$base")
check "tar-in" ./guestless tar-in "${allow[@]}" --overlay "$work/2.qcow2" "$work/1.qcow2" "$work/many.tar" /srv
allow+=(--allow-backing "$work/1.qcow2")
check "ln" ./guestless ln -s "${allow[@]}" --overlay "$overlay" "$work/2.qcow2" /etc/systemd/system/marker.service \
  /etc/systemd/system/multi-user.target.wants/marker.service
allow+=(--allow-backing "$work/2.qcow2")
check "the overlay is sound" qemu-img check "$overlay"

# Boot it; serial console to a file.
timeout 280 qemu-system-x86_64 -machine pc,accel=tcg -m 768 -smp 2 -display none -monitor none -no-reboot -serial "file:$work/console" \
  -kernel "$work/$kernel" -initrd "$work/$initrd" -append "root=LABEL=boot-root rw console=ttyS0 quiet" \
  -drive "file=$overlay,if=virtio,format=qcow2" >"$work/qemu.log" 2>&1
check "the guest shuts itself down" test $? -eq 0
check "the guest ran the service" grep -q "$(cat "$work/marker")" "$work/console"
check "the guest read the unpacked files" grep -q "file 400 of many" "$work/console"
check "the guest's own file is read" bash -c "[[ \$(./guestless cat ${allow[*]} '$overlay' /srv/written-by-guest | cut -d' ' -f1) == \$(sha256sum <'$work/blob' | cut -d' ' -f1) ]]"
qemu-img convert -O raw "$overlay" "$work/flat.raw" && dd if="$work/flat.raw" of="$work/part.raw" bs=1M skip=1 count=1400 conv=sparse status=none
check "e2fsck after the guest" e2fsck -fn "$work/part.raw"
check "the base is untouched" test "$before" == "$(sha256sum <"$base")"
[[ $failed == 0 ]] || { echo '--- console'; tail -40 "$work/console" 2>/dev/null; }
finish
