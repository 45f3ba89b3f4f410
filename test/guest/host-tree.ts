/** A folder of the host with one of everything, and a listing to compare such folders by. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { must } from '../support/oracle.ts';

// Every name below a folder with what lstat, readlink, getfattr and the contents say.
const LISTING = `
import os, sys, stat, hashlib, json
root = os.fsencode(sys.argv[1]); inodes = {}; out = []
def one(p):
    s = os.lstat(p); rel = os.path.relpath(p, root)
    row = [rel.decode("latin-1"), oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns if not stat.S_ISDIR(s.st_mode) or rel != b"." else 0]
    if stat.S_ISREG(s.st_mode): row += [s.st_size, hashlib.sha256(open(p, "rb").read()).hexdigest()]
    if stat.S_ISLNK(s.st_mode): row += [os.readlink(p).decode("latin-1")]
    if stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode): row += [os.major(s.st_rdev), os.minor(s.st_rdev)]
    if not stat.S_ISDIR(s.st_mode): row += ["same as " + inodes.setdefault(s.st_ino, rel).decode("latin-1")]
    row += [[n, os.getxattr(p, n, follow_symlinks=False).hex()] for n in sorted(os.listxattr(p, follow_symlinks=False))]
    out.append(row)
for d, ds, fs in os.walk(root):
    ds.sort()
    one(d)
    for f in sorted(fs) + [x for x in ds if os.path.islink(os.path.join(d, x))]:
        if not stat.S_ISSOCK(os.lstat(os.path.join(d, f)).st_mode): one(os.path.join(d, f))
print(json.dumps(out))
`;

export function listing(folder: string): unknown[] {
  return JSON.parse(must('python3', '-c', LISTING, folder)) as unknown[];
}

/** Makes a folder with files of awkward sizes, names, times, owners, attributes, links, holes and devices; it needs root. */
export function makeHostTree(source: string): void {
  fs.mkdirSync(source);
  const shell = (script: string): Buffer => execFileSync('bash', ['-ec', script], { cwd: source });
  shell(`
    mkdir -p etc/deep usr/empty
    echo root > etc/passwd; chmod 4755 etc/passwd; chown 12:3000000 etc/passwd
    echo > etc/late
    head -c 511 /dev/urandom > a511; head -c 512 /dev/urandom > a512; head -c 513 /dev/urandom > a513; : > a0
    head -c 3000001 /dev/urandom > big
    ln big usr/hard; ln a0 usr/empty/hard
    ln -s passwd etc/link; ln -s $(printf '%0150d' 7) etc/long-link; ln -s naïve etc/wide-link;
    mkfifo fifo; mknod null c 1 3; mknod loop b 7 4000; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
    truncate -s 1000000 hole; printf x | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
    truncate -s 9000000 sparse; printf start | dd of=sparse conv=notrunc status=none
    printf y | dd of=tail bs=1 seek=70000 status=none
    d=$(printf '%0100d' 0); mkdir -p $d/$d/$d; echo deep > $d/$d/$d/$(printf '%0200d' 1); echo x > $d/short; printf z | dd of=$d/$d/$d/sparse bs=1 seek=90000 status=none
    echo ä > ümlaut; echo ff > $'\\xff\\xfe'; echo long > $'\\xff'$(printf '%0150d' 3)
    echo nl > $'new\\nline'
    setfattr -n user.text -v hello etc/passwd; setfattr -n user.bytes -v 0x00ff0a3d0a00 etc/passwd; setfattr -n user.a=b%c -v 1 etc/late
    setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 a512 || true
    setfattr -n trusted.t -v x usr || true
    setfacl -m u:1000:rw,g:2000:r etc/late; setfacl -d -m u:7:rwx usr/empty
    # mke2fs -d keeps whole seconds of 32 bits.
    find . -exec touch -h -d @1234567890 {} +; touch -d '2001-02-03 04:05:06 UTC' etc/passwd; touch -d @-5 a512
  `);
}
