/** fstab(5): which file systems a system mounts where. */
import { decodeName } from '../../bytes/text.ts';

/** One line of /etc/fstab, its octal escapes resolved. */
export interface FstabEntry {
  /** fs_spec: a device, `UUID=...`, `LABEL=...`, ... */
  readonly spec: string;
  /** fs_file: the mount point, free of double and trailing slashes. */
  readonly path: string;
  /** fs_vfstype. */
  readonly type: string;
  /** fs_mntops, as they stand there. */
  readonly options: string;
}

/** Lines that are looked at. */
const LINE_LIMIT = 10_000;

/** `\040` and its like; a run of escaped bytes is one piece of UTF-8. */
function unescapeOctal(field: string): string {
  return field.replace(/(?:\\[0-3][0-7]{2})+/g, (escapes) => {
    const bytes = escapes.split('\\').slice(1);
    return decodeName(Uint8Array.from(bytes, (digits) => Number.parseInt(digits, 8)));
  });
}

function canonical(path: string): string {
  const names = path.split('/').filter((name) => name !== '');
  return path.startsWith('/') ? `/${names.join('/')}` : path;
}

/** The entries of an fstab. Missing options, dump and pass fields are tolerated; lines of fewer than three fields are left out. */
export function parseFstab(lines: readonly string[]): FstabEntry[] {
  const entries: FstabEntry[] = [];
  for (const line of lines.slice(0, LINE_LIMIT)) {
    const fields = line.trim().split(/[ \t]+/);
    if (fields[0] === undefined || fields[0] === '' || fields[0].startsWith('#') || fields.length < 3) continue;
    const [spec = '', file = '', type = '', options = 'defaults'] = fields.map(unescapeOctal);
    entries.push({ spec, path: canonical(file), type, options });
  }
  return entries;
}

const REMOVABLE = /^\/dev\/(fd[0-9]+|cd[0-9]+|floppy|cdrom|iso9660(\/.*)?)$/;
/** As libguestfs sees it: a file system may be mounted on /media itself, not below it. */
const PSEUDO = /^\/(?:(?:dev|proc|selinux|sys)(?:\/.*)?|media\/.*)$/;

/** Whether an entry is about the file systems of the guest's own disks. */
export function isOfDisks(entry: FstabEntry): boolean {
  if (REMOVABLE.test(entry.spec)) return false;
  if (PSEUDO.test(entry.path)) return false;
  return entry.spec.startsWith('/dev/') || /^(UUID|LABEL|PARTUUID|PARTLABEL)=/.test(entry.spec);
}
