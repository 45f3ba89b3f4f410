/**
 * A folder of the host that receives files of a guest. Nothing is written through a symbolic link and nothing outside of the folder: each
 * directory is opened by its one name, without following a link, from the directory above it, and files are made anew (O_EXCL).
 */
import * as fs from 'node:fs';
import type { Bytes } from '../bytes/struct.ts';
import { decodeName, encodeName } from '../bytes/text.ts';
import type { HostAttributes, HostFile, HostFolder } from '../commands/host.ts';
import { Posix, Refused, Unsupported } from '../errors.ts';
import type { Stat } from '../filesystem/filesystem.ts';
import { hostPath, posixError } from '../platform/node/file.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants;
const SLASH = 0x2f;
/** On Linux a name below an open directory is reached by this, as openat(2) would, whatever happens to the path meanwhile. */
const DESCRIPTORS = '/proc/self/fd';

interface OpenDirectory {
  readonly path: string;
  readonly descriptor: number;
}

export class NodeFolder implements HostFolder {
  readonly #name: string;
  readonly #byDescriptor: boolean = fs.existsSync(DESCRIPTORS);
  /** The target folder, then the directories on the way to where the work is. */
  readonly #stack: OpenDirectory[] = [];
  readonly #mayChangeOwner: boolean;

  constructor(name: string, mayChangeOwner: boolean) {
    this.#name = name;
    this.#mayChangeOwner = mayChangeOwner;
    try {
      this.#stack.push({ path: '', descriptor: fs.openSync(hostPath(name), O_RDONLY | O_DIRECTORY) });
    } catch (error) {
      throw posixError(error, name);
    }
  }

  makeDirectory(path: Bytes): void {
    this.#at(path, (place, shown) => {
      const there = fs.lstatSync(place, { throwIfNoEntry: false });
      if (there === undefined) fs.mkdirSync(place, 0o700);
      else if (!there.isDirectory()) throw new Refused('something that is no directory stands there', { image: shown });
    });
  }

  finishDirectory(path: Bytes, attributes: HostAttributes): void {
    const { descriptor } = this.#enter(decodeName(path));
    this.#guard(decodeName(path), () => {
      // A directory that was there before and belongs to someone else keeps what it has.
      if (path.length > 0) this.#setAttributes(descriptor, attributes);
    });
  }

  createFile(path: Bytes): HostFile {
    return this.#at(path, (place, shown) => {
      this.#clear(place, shown);
      const descriptor = fs.openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      let open = true;
      const close = (): void => {
        if (open) fs.closeSync(descriptor);
        open = false;
      };
      return {
        write: (offset, bytes) =>
          this.#guard(shown, () => {
            for (let done = 0; done < bytes.length; ) done += fs.writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
          }),
        finish: (size, attributes) =>
          this.#guard(shown, () => {
            fs.ftruncateSync(descriptor, size);
            this.#setAttributes(descriptor, attributes);
            close();
          }),
        close,
      };
    });
  }

  makeSymlink(path: Bytes, target: Bytes, attributes: HostAttributes): void {
    this.#at(path, (place, shown) => {
      this.#clear(place, shown);
      fs.symlinkSync(Buffer.from(target), place);
      if (this.#mayChangeOwner) fs.lchownSync(place, attributes.uid, attributes.gid);
      fs.lutimesSync(place, seconds(attributes.mtime), seconds(attributes.mtime));
    });
  }

  makeLink(path: Bytes, to: Bytes): void {
    // The first name was made in this run; a descriptor of its directory keeps it from being exchanged for another.
    const slash = to.lastIndexOf(SLASH);
    const folder = this.#open(decodeName(slash < 0 ? to.subarray(0, 0) : to.subarray(0, slash)));
    try {
      const from = this.#below(folder, to.subarray(slash + 1));
      if (!fs.lstatSync(from).isFile()) throw new Refused('it is no longer the file that was made', { image: decodeName(to) });
      this.#at(path, (place, shown) => {
        this.#clear(place, shown);
        fs.linkSync(from, place);
      });
    } finally {
      fs.closeSync(folder.descriptor);
    }
  }

  makeNode(path: Bytes, stat: Stat): void {
    const { kind, mode } = stat;
    const numbers = stat.device === undefined ? [] : [String(stat.device.major), String(stat.device.minor)];
    const type = kind === 'character' ? 'c' : kind === 'block' ? 'b' : 'p';
    this.#at(path, (place, shown) => {
      this.#clear(place, shown);
      // Node.js has no mknod of its own. The descriptor in the path is ours, not the child's.
      const name = Buffer.from(place).toString('latin1').replace('/proc/self/', `/proc/${process.pid}/`);
      if (/[^\u0020-\u007e]/.test(name)) throw new Unsupported('mknod', 'a device node with such a name cannot be made', { path: shown });
      const made = process
        .getBuiltinModule('node:child_process')
        .spawnSync('mknod', ['-m', (mode & 0o777).toString(8), '--', name, type, ...numbers], { encoding: 'utf8' });
      if (made.status !== 0) throw new Posix('EPERM', { image: shown }, `mknod: ${(made.stderr ?? made.error?.message ?? '').trim()}`);
      if (this.#mayChangeOwner) fs.lchownSync(place, stat.uid, stat.gid);
    });
  }

  close(): void {
    for (const { descriptor } of this.#stack) fs.closeSync(descriptor);
    this.#stack.length = 0;
  }

  /** Runs `body` on the place of a path: its last name below the open directory that holds it. */
  #at<T>(path: Bytes, body: (place: string | Buffer, shown: string) => T): T {
    const slash = path.lastIndexOf(SLASH);
    const shown = `${this.#name}/${decodeName(path)}`;
    return this.#guard(shown, () => {
      const folder = this.#enter(decodeName(slash < 0 ? path.subarray(0, 0) : path.subarray(0, slash)));
      return body(this.#below(folder, path.subarray(slash + 1)), shown);
    });
  }

  #guard<T>(shown: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw posixError(error, shown);
    }
  }

  #below(folder: OpenDirectory, name: Bytes): Buffer {
    const above = this.#byDescriptor ? `${DESCRIPTORS}/${folder.descriptor}` : `${this.#name}/${folder.path}`;
    return Buffer.concat([Buffer.from(encodeName(`${above}/`)), name]);
  }

  /** The open directory of a path, which the directories above lead to; those that do not are closed. */
  #enter(path: string): OpenDirectory {
    while (this.#stack.length > 1) {
      const last = this.#stack.at(-1) as OpenDirectory;
      if (path === last.path || path.startsWith(`${last.path}/`)) break;
      fs.closeSync(last.descriptor);
      this.#stack.pop();
    }
    for (;;) {
      const last = this.#stack.at(-1) as OpenDirectory;
      if (last.path === path) return last;
      const rest = path.slice(last.path === '' ? 0 : last.path.length + 1);
      this.#stack.push(this.#openBelow(last, rest.split('/')[0] ?? ''));
    }
  }

  /** A descriptor of its own for the directory of a path. */
  #open(path: string): OpenDirectory {
    let here: OpenDirectory = { path: '', descriptor: fs.openSync(this.#name, O_RDONLY | O_DIRECTORY) };
    for (const name of path.split('/')) {
      if (name === '') continue;
      const next = this.#openBelow(here, name);
      fs.closeSync(here.descriptor);
      here = next;
    }
    return here;
  }

  #openBelow(folder: OpenDirectory, name: string): OpenDirectory {
    const place = this.#below(folder, encodeName(name));
    const path = folder.path === '' ? name : `${folder.path}/${name}`;
    try {
      return { path, descriptor: fs.openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ELOOP' || code === 'ENOTDIR') throw new Refused('a symbolic link stands there; it is not followed', { image: path });
      throw error;
    }
  }

  /** Makes room for something new; a directory stays. */
  #clear(place: string | Buffer, shown: string): void {
    const there = fs.lstatSync(place, { throwIfNoEntry: false });
    if (there === undefined) return;
    if (there.isDirectory()) throw new Posix('EISDIR', { image: shown });
    fs.unlinkSync(place);
  }

  #setAttributes(descriptor: number, { mode, uid, gid, mtime }: HostAttributes): void {
    // Owner first: chown takes set-id bits away.
    if (this.#mayChangeOwner) fs.fchownSync(descriptor, uid, gid);
    fs.fchmodSync(descriptor, mode);
    fs.futimesSync(descriptor, seconds(mtime), seconds(mtime));
  }
}

function seconds({ seconds: whole, nanoseconds }: HostAttributes['mtime']): number {
  return whole + nanoseconds / 1e9;
}
