/** The virtual disk in a qcow2 file, for reading. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import { Corrupt, Unsupported } from '../errors.ts';
import { checkRange, type Extent, readNew } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';
import { ClusterReader } from './cluster-reader.ts';
import type { Layer, Location } from './location.ts';
import type { Metadata } from './metadata.ts';
import { findSnapshot, type Snapshot } from './snapshots.ts';
import { ClusterTables } from './tables.ts';

export interface Qcow2Options {
  readonly codecs: Codecs;
  /** What shines through where the image has nothing: the backing file, which may be shorter or longer than the image. */
  readonly backing?: Layer;
  /** The external data file, where the image has one. */
  readonly dataFile?: ByteSource;
  /** Shows the disk as it was in this snapshot, by id or else by name. */
  readonly snapshot?: string;
}

export class Qcow2Device implements Layer {
  readonly metadata: Metadata;
  readonly size: number;
  readonly preferredRequest: number;
  readonly backing: Layer | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly #reader: ClusterReader;

  /** Throws Posix ENOENT for an unknown snapshot, Corrupt for a damaged one or a missing data file. */
  constructor(metadata: Metadata, options: Qcow2Options) {
    const { header, source, where } = metadata;
    this.metadata = metadata;
    this.snapshot = options.snapshot === undefined ? undefined : findSnapshot(metadata.snapshots, options.snapshot, where);
    const diskSize = this.snapshot?.diskSize ?? header.size;
    this.size = diskSize - (diskSize % 512);
    this.preferredRequest = source.preferredRequest;
    this.backing = options.backing;
    if (header.dataFile !== undefined && options.dataFile === undefined) {
      throw new Corrupt(`the image cannot be read without its data file ${header.dataFile.name ?? '(which it does not name)'}`, where);
    }
    const data = header.dataFile === undefined ? source : (options.dataFile ?? source);
    const tables = new ClusterTables(header, this.snapshot ?? header, metadata.tables, where);
    this.#reader = new ClusterReader(tables, metadata, data, options.backing, options.codecs);
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length, this.metadata.where);
    this.#refuseEncryption();
    yield* this.#reader.readInto(offset, target);
  }

  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length, this.metadata.where);
    return yield* this.#reader.map(offset, length);
  }

  *locate(offset: number, length: number): Io<Location> {
    checkRange(this, offset, length, this.metadata.where);
    this.#refuseEncryption();
    return yield* this.#reader.locate(offset, length);
  }

  #refuseEncryption(): void {
    const { header, where } = this.metadata;
    if (header.encryption === 'none') return;
    const name = header.encryption === 'luks' ? 'LUKS encryption' : 'AES encryption';
    throw new Unsupported(name, `${name} of qcow2 images is not supported: the disk cannot be read without decrypting it`, where);
  }
}
