/** A guest on a fresh file system, worked on by verbs, and judged by e2fsck in the end. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect } from 'vitest';
import type { Calls } from '../../../src/commands/api/calls.ts';
import { functionFacts } from '../../../src/commands/api/facts.ts';
import { callVerb } from '../../../src/commands/verbs/call.ts';
import { type DriveOptions, Handle } from '../../../src/commands/verbs/handle.ts';
import { runSync } from '../../../src/io/drivers.ts';
import { nodeHandleHost, openDrive } from '../../../src/library/drive.ts';
import { scratchFolder } from '../../support/images.ts';
import { e2fsckComplaints, must } from '../../support/oracle.ts';

type Name = keyof Calls;

let folder: string | undefined;
let made = 0;

/** The path of a file that is not there yet, removed when the process ends. */
export function newFile(name: string): string {
  folder ??= scratchFolder();
  return path.join(folder, `${made++}-${name}`);
}

export class Guest {
  readonly handle: Handle;
  readonly image: string;

  constructor(image: string, options: { readonly readOnly?: boolean } = {}) {
    this.image = image;
    const drive: DriveOptions = runSync(openDrive({ file: image, format: 'raw', readOnly: options.readOnly ?? false }));
    this.handle = new Handle(
      nodeHandleHost(() => {}),
      [drive],
    );
  }

  /** A guest with an empty ext4 at /. */
  static empty(options: { readonly type?: string; readonly size?: string } = {}): Guest {
    const image = newFile('disk.img');
    must('truncate', '-s', options.size ?? '16M', image);
    must('mke2fs', '-q', '-F', '-b', '4096', '-t', options.type ?? 'ext4', image);
    const guest = new Guest(image);
    guest.call('mount', { mountable: '/dev/sda', mountpoint: '/' });
    return guest;
  }

  /** Calls a verb as a door does. */
  call<N extends Name>(name: N, args: Calls[N]['args']): Calls[N]['result'] {
    const facts = functionFacts(name);
    if (facts === undefined) throw new Error(`no function ${name}`);
    return runSync(callVerb(this.handle, facts, args)) as Calls[N]['result'];
  }

  /** The errno with which a verb fails. */
  errno<N extends Name>(name: N, args: Calls[N]['args']): string {
    try {
      this.call(name, args);
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
    return 'none';
  }

  write(file: string, content: string | Uint8Array): void {
    this.call('internal_write', { path: file, content: typeof content === 'string' ? new TextEncoder().encode(content) : content });
  }

  /** What a verb sends, as bytes. */
  received(send: (push: Calls['ls0']['args']['filenames']) => void): Buffer {
    const parts: Buffer[] = [];
    // biome-ignore lint/correctness/useYield: the bytes are kept at once
    send(function* (bytes) {
      parts.push(Buffer.from(bytes));
    });
    return Buffer.concat(parts);
  }

  /** Writes all into the image; e2fsck has nothing to say. */
  finish(): void {
    runSync(this.handle.save());
    this.handle.close();
    expect(e2fsckComplaints(this.image)).toBe('');
  }
}

/** A file on the host with these bytes. */
export function hostFile(content: Uint8Array | string): string {
  const file = newFile('file');
  fs.writeFileSync(file, content);
  return file;
}
