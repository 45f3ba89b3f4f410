#!/bin/bash
# Makes sure that the real tools which judge our work are there: installs what is missing with apt as root, else names it and fails.
set -uo pipefail
export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive

# command:package
wanted=(
  qemu-img:qemu-utils qemu-io:qemu-utils mke2fs:e2fsprogs debugfs:e2fsprogs e2fsck:e2fsprogs e2image:e2fsprogs mkfs.vfat:dosfstools
  fsck.vfat:dosfstools mcopy:mtools sgdisk:gdisk sfdisk:fdisk parted:parted partx:util-linux blkid:util-linux losetup:util-linux
  7z:p7zip-full mkfs.xfs:xfsprogs getfattr:attr getfacl:acl zstd:zstd lz4:lz4 xz:xz-utils gzip:gzip tar:tar python3:python3 /usr/bin/time:time
  file:file cpio:cpio bzip2:bzip2 strings:binutils hexdump:bsdextrautils git:git openssl:openssl mkswap:util-linux swaplabel:util-linux wipefs:util-linux mkfs.btrfs:btrfs-progs
)
missing=() packages=()
for entry in "${wanted[@]}"; do
  command -v "${entry%%:*}" >/dev/null || { missing+=("${entry%%:*}"); packages+=("${entry##*:}"); }
done
[[ ${#missing[@]} == 0 ]] && exit 0
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "installing ${packages[*]}" >&2
  log=$(mktemp)
  { apt-get update -q && apt-get install -y -q --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 || tail -20 "$log" >&2
  rm -f "$log"
fi
missing=()
for entry in "${wanted[@]}"; do
  command -v "${entry%%:*}" >/dev/null || missing+=("${entry%%:*} (package ${entry##*:})")
done
if [[ ${#missing[@]} != 0 ]]; then
  printf 'the tests are judged by real tools; missing here: %s\n' "$(IFS=,; echo "${missing[*]}")" >&2
  exit 1
fi
