/** What a partition table tells, whichever its scheme. */
import type { Warning } from '../errors.ts';

export interface Partition {
  /** Linux's number: the slot for primary (MBR) and GPT partitions, 5 and up in chain order for logical ones. */
  readonly number: number;
  /** Always `primary` on GPT. */
  readonly kind: 'primary' | 'extended' | 'logical';
  /** First byte on the device. */
  readonly start: number;
  /** Length in bytes, cut at the device's end. */
  readonly size: number;
  /** Type GUID in upper case, or the MBR type as two hexadecimal digits in lower case. */
  readonly type: string;
  /** What the type is called. */
  readonly typeName?: string;
  /** PARTUUID as `blkid` prints it: a GUID in lower case, or `SIGNATURE-NUMBER` on MBR disks that have a signature. */
  readonly uuid?: string;
  /** PARTLABEL: the name in a GPT entry; absent when empty. */
  readonly name?: string;
  /** The MBR active flag, or attribute bit 2 (legacy BIOS bootable) on GPT. */
  readonly bootable: boolean;
  /** The 64 attribute bits of a GPT entry. */
  readonly attributes?: bigint;
}

export interface PartitionTable {
  readonly scheme: 'gpt' | 'mbr';
  /** Logical sector size in bytes: the unit of the table's addresses. */
  readonly sectorSize: number;
  /** PTUUID as `blkid` prints it: the disk's GUID in lower case, or the MBR signature as eight hexadecimal digits. */
  readonly id?: string;
  /** In order of their numbers. */
  readonly partitions: readonly Partition[];
  /** What was found wrong and worked around. */
  readonly warnings: readonly Warning[];
}
