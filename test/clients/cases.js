// What unmodified clients of libguestfs are asked to do. Each case is a shell script; its standard output and exit status are compared with
// what the same script gave over libguestfs's own appliance. $IMG is an image that must not change, $RW a copy that may, $OUT an empty
// folder, $FIXTURES the folder of fixtures. `dump IMAGE` prints all files of an image: kind, mode, owner, size, contents.

/** Every call of the fish language that only looks, on one file system. */
const LOOK = `
-run
-list-devices
-list-partitions
-list-filesystems
-mountpoints
-mounts
-ll / | grep -v -e ' \\.\\.$' -e ^total
-ls /
-ls /etc
-ls0 /etc - | tr '\\0' '\\n' | sort
-find /etc
-find0 /etc/ssh - | tr '\\0' '\\n' | sort
-cat /etc/os-release
-cat /no/such/file
-cat /etc
-read-lines /etc/hosts
-head /etc/passwd
-head-n 2 /etc/passwd
-head-n -2 /etc/passwd
-tail-n 1 /etc/passwd
-tail-n -2 /etc/passwd
-wc-l /etc/passwd
-wc-w /etc/passwd
-wc-c /etc/passwd
-grep root /etc/passwd
-grep ^ROOT /etc/passwd insensitive:true
-grep nothing-of-the-kind /etc/passwd
-grep ^r.*t: /etc/passwd extended:true
-fgrep a.b /etc/passwd
-checksum md5 /etc/passwd
-checksum crc /etc/passwd
-checksum sha256 /etc/passwd
-checksum nonsense /etc/passwd
-filesize /etc/passwd
-exists /etc
-exists /nothing
-is-file /etc/passwd
-is-file /etc/os-release
-is-file /etc/os-release followsymlinks:true
-is-dir /etc
-is-symlink /etc/os-release
-is-fifo /run/initctl
-is-chardev /dev/null
-readlink /etc/os-release
-readlink /etc/passwd
-realpath /etc/os-release
-case-sensitive-path /ETC/Passwd
-case-sensitive-path /etc/NEW
-lgetxattrs /bin/cat
-getxattrs /etc/hosts
-glob-expand /etc/*s
-glob-expand /nothing/*
-glob-expand /etc/ssh*
-glob-expand /etc/ssh* directoryslash:false
-file /bin/cat
-file /etc/passwd
-file /etc
-file /etc/os-release
-file-architecture /bin/cat
-strings /etc/hosts
-hexdump /etc/hostname
-du /etc/ssh
-statvfs / | grep -v -e fsid -e flag
-stat /etc/passwd | grep -v -e ctime -e dev
-lstatns /etc/os-release | grep -v -e ctime -e dev
-pread /etc/passwd 5 3
-initrd-list /etc/passwd
-vfs-type /dev/sda2
-vfs-label /dev/sda2
-vfs-uuid /dev/sda2
-vfs-type /dev/sda1
-vfs-label /dev/sda1
-vfs-uuid /dev/sda1
-vfs-type /dev/sda
-findfs-label demo-root
-findfs-uuid 5b1d2f60-7f0a-4d5b-9d1c-3a8f5e2c7b10
-findfs-label nothing
-part-list /dev/sda
-part-get-parttype /dev/sda
-part-get-gpt-type /dev/sda 1
-part-get-gpt-guid /dev/sda 2
-part-get-name /dev/sda 2
-part-get-bootable /dev/sda 1
-part-get-disk-guid /dev/sda
-part-to-dev /dev/sda2
-part-to-partnum /dev/sda2
-part-to-dev /dev/sda
-blockdev-getsize64 /dev/sda
-blockdev-getss /dev/sda
-blockdev-getsz /dev/sda2
-blockdev-getro /dev/sda
-is-whole-device /dev/sda
-is-whole-device /dev/sda1
-device-index /dev/sda
-nr-devices
-canonical-device-name /dev/vda2
-lvs
-vgs
-pvs
-list-md-devices
-list-dm-devices
-is-lv /dev/sda2
-inspect-os
-inspect-get-type /dev/sda2
-inspect-get-distro /dev/sda2
-inspect-get-major-version /dev/sda2
-inspect-get-minor-version /dev/sda2
-inspect-get-arch /dev/sda2
-inspect-get-product-name /dev/sda2
-inspect-get-product-variant /dev/sda2
-inspect-get-hostname /dev/sda2
-inspect-get-package-format /dev/sda2
-inspect-get-package-management /dev/sda2
-inspect-get-mountpoints /dev/sda2
-inspect-get-filesystems /dev/sda2
-inspect-get-drive-mappings /dev/sda2
-inspect-get-windows-systemroot /dev/sda2
-inspect-get-type /dev/sda1
-inspect-list-applications2 /dev/sda2
-aug-init / 0
-aug-get /files/etc/passwd/root/uid
-aug-match /files/etc/passwd/*
-aug-ls /files/etc/hosts
-aug-match /files/etc/fstab/*/spec
-aug-get /files/nothing
-aug-close
-aug-get /files/etc/passwd/root/uid
-umask 0
-get-umask
-ping-daemon
-echo-daemon "a b c"
-nonsense-command
-mount /dev/sdz /
-umount /nowhere
`;

/** Changes of every kind, and what became of them. */
const CHANGE = `
-mkdir /new
-mkdir-p /new/a/b/c
-mkdir-mode /new/private 0700
-mkdir /new
-mkdir /nothing/below
-write /new/hello "hello\\n"
-write-append /new/hello "world\\n"
-touch /new/empty
-truncate-size /new/sparse 1M
-fallocate /new/filled 8192
-fill 65 100 /new/as
-fill-pattern ab 7 /new/pattern
-cp /etc/hosts /new/hosts
-cp-a /etc/ssh /new/ssh
-mv /new/hosts /new/hosts2
-rename /new/hosts2 /new/hosts3
-ln /new/hello /new/hard
-ln-s hello /new/soft
-ln-sf hello2 /new/soft
-ln-s again /new/soft
-chmod 0640 /new/hello
-chmod 07777 /new/hello
-chmod 0640 /new/hello
-chown 1000 1001 /new/hello
-lchown 5 6 /new/soft
-utimens /new/hello 1000000000 5 1100000000 7
-lstatns /new/hello | grep -e mode -e uid -e gid -e size -e nlink -e atime -e mtime
-mknod 0100644 0 0 /new/node-file
-mkfifo 0600 /new/fifo
-mknod-c 0600 1 3 /new/null
-mknod-b 0600 8 1 /new/disk
-setxattr user.note value 5 /new/hello
-getxattr /new/hello user.note
-lgetxattrs /new/hello
-removexattr user.note /new/hello
-getxattrs /new/hello
-acl-set-file /new/empty access "u::rwx,g::r-x,o::r--,u:1000:rw-,m::rwx"
-acl-get-file /new/empty access
-acl-get-file /new/hello access
-cap-set-file /bin/cat "cap_net_raw+ep"
-cap-get-file /bin/cat
-pwrite /new/hello "HE" 0
-pwrite /new/hello "x" -1
-cat /new/hello
-dd /new/hello /new/copy-by-dd
-copy-size /new/hello /new/first3 3
-copy-file-to-file /new/hello /new/part srcoffset:2 size:4
-copy-attributes /new/hello /new/first3 all:true
-equal /new/hello /new/copy-by-dd
-rmdir /new
-rm-rf /new/a
-rm /new/pattern
-rm /new/pattern
-rm-f /new/pattern
-rm /new/ssh
-mktemp /tmp/x.XXXXXX | wc -c
-mkdtemp /tmp/d.XXXXXX | wc -c
-case-sensitive-path /NEW/HELLO
`;

/** Names of what changes from run to run are left out. */
const DUMP = 'dump "$RW" | grep -av -e random-seed -e " /tmp/x\\." -e " /tmp/d\\." -e " /tmp"';

export const CASES = [
  { name: 'fish-look', script: `guestfish --ro -a "$IMG" -i <<'FISH' 2>/dev/null\n${LOOK}FISH` },
  { name: 'fish-change', script: `guestfish -a "$RW" -i <<'FISH' 2>/dev/null\n${CHANGE}FISH\necho "status $?"; ${DUMP}` },
  // Which calls fail; the words differ.
  {
    name: 'fish-errors',
    script: `guestfish -a "$RW" -i <<'FISH' 2>&1 | sed -nE -e 's/^.*libguestfs: error: ([a-z0-9_]+): .*/\\1/p'
-cat /nothing
-cat /etc
-mkdir /etc
-mkdir /a/b/c
-rmdir /etc
-rm /etc
-ln-s x /etc/passwd
-readlink /etc/passwd
-chmod 0644 /nothing
-truncate-size /etc 0
-cat relative
-mount /dev/sda9 /
-mount-ro /dev/sda1 /nothing
-umount /etc
-part-get-parttype /dev/sda1
-getxattr /etc/passwd user.none
-write /etc/passwd/x y
FISH`,
  },
  { name: 'fish-cat', script: 'guestfish --ro -a "$IMG" -i cat /etc/os-release' },
  { name: 'fish-m', script: 'guestfish --ro -a "$IMG" -m /dev/sda2 -m /dev/sda1:/boot/efi find /boot' },
  { name: 'fish-status', script: 'guestfish --ro -a "$IMG" -i cat /nothing 2>/dev/null; echo "status $?"' },
  {
    name: 'fish-tar',
    script: `guestfish --ro -a "$IMG" -i tar-out /etc "$OUT/etc.tar" : tgz-out /usr "$OUT/usr.tgz" : base64-out /etc/hosts "$OUT/b64" : compress-out gzip /etc/passwd "$OUT/pw.gz" : checksums-out sha256 /etc "$OUT/sums"
tar tvf "$OUT/etc.tar" --numeric-owner | sort -k6; tar tzf "$OUT/usr.tgz" | sort; base64 -d "$OUT/b64"; gzip -dc "$OUT/pw.gz"; sort -k2 "$OUT/sums"`,
  },
  {
    name: 'fish-tar-in',
    script: `mkdir -p "$OUT/t/sub"; echo one >"$OUT/t/one"; ln "$OUT/t/one" "$OUT/t/two"; ln -s one "$OUT/t/sub/link"; chmod 4755 "$OUT/t/sub"; tar -C "$OUT/t" --owner=7 --group=8 --mtime=@1234567890 -cf "$OUT/t.tar" .; gzip -k "$OUT/t.tar"
guestfish -a "$RW" -i mkdir /in : tar-in "$OUT/t.tar" /in : mkdir /in2 : tgz-in "$OUT/t.tar.gz" /in2 : upload "$OUT/t/one" /in/up : download /in/up "$OUT/down"; cat "$OUT/down"; ${DUMP}`,
  },
  {
    name: 'virt-cat',
    script: 'virt-cat -a "$IMG" /etc/passwd /etc/hostname; echo "status $?"; virt-cat -a "$IMG" /nothing 2>/dev/null; echo "status $?"',
  },
  { name: 'virt-ls', script: 'virt-ls -a "$IMG" /etc; virt-ls -lR -a "$IMG" /' },
  {
    name: 'virt-ls-all',
    script:
      'virt-ls -lR --csv --uids --times --time-t --checksum=sha256 -a "$IMG" / | sed -e "s/\\(,[0-9]*\\),[0-9]*,\\([0-9]*,[^,]*\\)$/\\1,\\2/"',
  },
  { name: 'virt-df', script: 'virt-df -a "$IMG"; virt-df -h -a "$IMG"; virt-df -i --csv -a "$IMG"' },
  {
    name: 'virt-filesystems',
    script:
      'virt-filesystems --all --long --uuid -a "$IMG"; virt-filesystems -a "$IMG"; virt-filesystems --partitions --long -h -a "$IMG"; virt-filesystems --csv --filesystems --extra --long -a "$IMG"',
  },
  { name: 'virt-inspector', script: 'virt-inspector -a "$IMG"' },
  { name: 'virt-tar-out', script: 'virt-tar-out -a "$IMG" /etc - | tar tvf - --numeric-owner | sort -k6' },
  {
    name: 'virt-tar-in',
    script: `mkdir "$OUT/t"; echo one >"$OUT/t/one"; tar -C "$OUT/t" -cf "$OUT/t.tar" --owner=3 --group=4 --mtime=@1 one; virt-tar-in -a "$RW" "$OUT/t.tar" /srv; ${DUMP}`,
  },
  {
    name: 'virt-copy',
    script: `virt-copy-out -a "$IMG" /etc /home "$OUT"; (cd "$OUT" && find . -type f -o -type l | LC_ALL=C sort); virt-copy-in -a "$RW" "$OUT/etc/hosts" /srv; ${DUMP}`,
  },
  { name: 'virt-edit', script: `virt-edit -a "$RW" /etc/hostname -e 's/.*/edited/'; echo "status $?"; ${DUMP}` },
  {
    name: 'virt-diff',
    needs: 'demo',
    script:
      'virt-diff -a "$IMG" -A "$FIXTURES/demo-overlay.qcow2"; echo "status $?"; virt-diff --checksum=md5 --uids -h -a "$IMG" -A "$FIXTURES/demo-overlay.qcow2"',
  },
  { name: 'virt-log', script: 'virt-log -a "$IMG" | head -c 2000; echo "status $?"' },
  {
    name: 'virt-customize',
    script: `echo up >"$OUT/up"; virt-customize -q --no-network -a "$RW" --hostname box.example --mkdir /opt/d/e --write /opt/d/f:text --append-line /opt/d/f:more --upload "$OUT/up":/opt/up --touch /opt/t --chmod 0600:/opt/t --copy /opt/up:/opt/up2 --move /opt/up2:/opt/up3 --link /opt/up:/opt/l --edit '/opt/d/f:s/text/other/' --delete /etc/motd --timezone UTC --root-password locked:disabled --truncate /var/log/messages 2>/dev/null; echo "status $?"; ${DUMP}`,
  },
  {
    name: 'virt-sysprep',
    script: `virt-sysprep -q -a "$RW" --operations defaults,-customize,-lvm-uuids,-fs-uuids 2>/dev/null; echo "status $?"; ${DUMP}`,
  },
  {
    name: 'virt-customize-more',
    script: `echo 'ssh-ed25519 AAAAC3 someone@box' >"$OUT/key"; mkdir -p "$OUT/in/sub"; echo in >"$OUT/in/sub/file"; printf '#!/bin/sh\\necho hi\\n' >"$OUT/first.sh"
cd "$OUT"; virt-customize -q --no-network -a "$RW" --copy-in "$OUT/in":/opt --ssh-inject root:file:"$OUT/key" --firstboot first.sh --firstboot-command 'echo x' --truncate-recursive /var/log --scrub /etc/motd --password root:disabled --no-logfile 2>/dev/null; echo "status $?"; ${DUMP}`,
  },
  {
    name: 'virt-sysprep-all',
    script: `guestfish -a "$RW" -i write /etc/login.defs 'UID_MIN 1000
UID_MAX 60000
GID_MIN 1000
GID_MAX 60000
'
virt-sysprep -q -a "$RW" --operations all,-lvm-uuids,-fs-uuids 2>/dev/null; echo "status $?"; ${DUMP} | grep -av /etc/machine-id`,
  },
  {
    name: 'virt-resize',
    script: `truncate -s 300M "$OUT/new.img"; virt-resize -q --expand /dev/sda2 "$IMG" "$OUT/new.img" 2>/dev/null; echo "status $?"
virt-filesystems -a "$OUT/new.img" --all --long --uuid; dump "$OUT/new.img"
guestfish --ro -a "$OUT/new.img" run : tune2fs-l /dev/sda2 | grep -E '^(Block count|Inode count|Free inodes|Reserved block count|Blocks per group)'`,
  },
  {
    name: 'virt-sparsify',
    script: `guestfish -a "$RW" -i fill-pattern secret 9M /root/gone : sync : rm /root/gone
virt-sparsify -q --tmp "$OUT" "$RW" "$OUT/sparse.qcow2" 2>/dev/null; echo "status $?"; grep -c secretsecret "$OUT/sparse.qcow2"; dump "$OUT/sparse.qcow2"
virt-sparsify -q --in-place "$RW" 2>/dev/null; echo "status $?"; ${DUMP}`,
  },
  { name: 'virt-get-kernel', script: 'virt-get-kernel -a "$IMG" -o "$OUT" 2>/dev/null; echo "status $?"; ls "$OUT"' },
  { name: 'virt-alignment-scan', script: 'virt-alignment-scan -a "$IMG"; echo "status $?"' },
  {
    name: 'guestmount',
    script: `mkdir "$OUT/m"; guestmount --ro -a "$IMG" -i "$OUT/m" && (cd "$OUT/m" && find . -printf '%y %m %U %G %n %s %p %l\\n' | sed -e 's/^d \\([0-9]* [0-9]* [0-9]* [0-9]*\\) [0-9]*/d \\1 -/' | LC_ALL=C sort -k7; cat etc/passwd; cat nothing 2>&1; stat -fc '%s %b %l' .); guestunmount "$OUT/m"
while pgrep -f "guestmount.*$OUT/m" >/dev/null; do sleep 0.1; done
guestmount -a "$RW" -i "$OUT/m" && (cd "$OUT/m" && mkdir n && echo text >n/f && ln n/f n/g && ln -s f n/s && mv n/g n/h && chmod 600 n/f && chown 9:8 n/h && truncate -s 3 n/f && mkdir n/x && rmdir n/x && rm etc/motd && mkfifo n/p && cat n/h && touch -d @1000 n/f && stat -c '%Y %a' n/f; seq 1 20000 >n/big; md5sum <n/big; echo more >>n/big; md5sum <n/big); guestunmount "$OUT/m"
while pgrep -f "guestmount.*$OUT/m" >/dev/null; do sleep 0.1; done; ${DUMP}`,
  },
  {
    name: 'python',
    script: `/usr/bin/python3 -W ignore - <<'PY'
import guestfs, os
g = guestfs.GuestFS(python_return_dict=True)
g.add_drive_opts(os.environ['RW'])
g.launch()
root = g.inspect_os()[0]
print(root, sorted(g.inspect_get_mountpoints(root).items()))
for at, dev in sorted(g.inspect_get_mountpoints(root).items()):
    g.mount(dev, at)
g.write('/opt/bytes', bytes(range(256)))
print(g.read_file('/opt/bytes') == bytes(range(256)))
g.mkdir_p('/opt/deep/er')
g.ln_s('../bytes', '/opt/deep/link')
print(g.readdir('/opt') and sorted(e['name'] for e in g.readdir('/opt')))
print([ (s['st_size'], oct(s['st_mode'])) for s in g.lstatnslist('/opt', ['bytes', 'none', 'deep'])][0])
print(g.readlinklist('/opt/deep', ['link', 'none']))
print(g.lxattrlist('/bin', ['cat', 'ls']))
try:
    g.cat('/nothing')
except RuntimeError as e:
    print(e)
print(g.feature_available(['acl', 'xz', 'linuxxattrs']), g.available_all_groups()[:3])
print(g.version()['major'])
g.shutdown()
g.close()
PY
${DUMP}`,
  },
];
