/** Disks whose tables are written by us, and what real tools see on them. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { BufferedDevice, MemorySource, runSync, WritableSourceDevice } from '../../src/io/index.ts';
import type { EditableTable } from '../../src/partition/index.ts';
import { changePartitionTable, createPartitionTable, newPartitionTable } from '../../src/partition/index.ts';
import { scratchFolder, writeSparse } from '../support/images.ts';
import { must } from '../support/oracle.ts';

export const FOLDER: string = scratchFolder('guestless-partition-');
let counter = 0;

/** Identifiers that are the same in every run. */
export function countingRandom(): (length: number) => Uint8Array {
  let calls = 0;
  return (length) => new Uint8Array(createHash('sha256').update(String(calls++)).digest()).slice(0, length);
}

export interface SfdiskTable {
  readonly label: string;
  readonly id: string;
  readonly firstlba?: number;
  readonly lastlba?: number;
  readonly partitions: readonly {
    readonly number: number;
    readonly start: number;
    readonly size: number;
    readonly type: string;
    readonly uuid?: string;
    readonly name?: string;
    readonly attrs?: string;
    readonly bootable?: boolean;
  }[];
}

/** What sfdisk reads from a file. */
export function sfdisk(file: string): SfdiskTable {
  const json = JSON.parse(must('sfdisk', '--json', file)) as { partitiontable: SfdiskTable & { partitions?: readonly Row[] } };
  type Row = SfdiskTable['partitions'][number] & { readonly node: string };
  const table = json.partitiontable;
  const rows = (table.partitions ?? []) as readonly Row[];
  const partitions = rows.map(({ node, ...rest }) => ({ ...rest, number: Number(node.slice(file.length)) }));
  return { ...table, partitions };
}

/** A disk in memory; `device` undoes what fails. */
export class Disk {
  readonly source: MemorySource;
  readonly device: BufferedDevice;
  readonly random: (length: number) => Uint8Array = countingRandom();
  readonly sectorSize: number;

  constructor(bytes: Uint8Array, sectorSize = 512) {
    this.source = new MemorySource(bytes);
    this.device = new BufferedDevice(new WritableSourceDevice(this.source));
    this.sectorSize = sectorSize;
  }

  create(scheme: 'gpt' | 'mbr', id?: string): void {
    const options = { random: this.random, sectorSize: this.sectorSize, ...(id === undefined ? {} : { id }) };
    runSync(createPartitionTable(this.device, newPartitionTable(scheme, this.device.size, options)));
  }

  change<T>(change: (table: EditableTable) => T): T {
    return runSync(changePartitionTable(this.device, { random: this.random, sectorSize: this.sectorSize }, change));
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.device.size);
    runSync(this.device.readInto(0, bytes));
    return bytes;
  }

  /** The disk as a file for real tools. */
  file(): string {
    const file = path.join(FOLDER, `disk${counter++}-`);
    writeSparse(file, this.bytes());
    return file;
  }
}

/** An empty file of a size. */
export function emptyFile(size: number): string {
  const file = path.join(FOLDER, `empty${counter++}-`);
  fs.writeFileSync(file, '');
  fs.truncateSync(file, size);
  return file;
}
