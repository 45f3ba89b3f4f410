/** What an image is, as OpenStack nova states it (`nova/virt/image/model.py`): the caller says the format, nobody probes for it. */
import { Refused } from '../errors.ts';

export type ImageFormat = 'raw' | 'qcow2';

const FORMATS: readonly string[] = ['raw', 'qcow2'];

/** An image on this host. Throws Refused for any other format than raw and qcow2. */
export class LocalImage {
  readonly path: string;
  readonly format: ImageFormat;

  constructor(path: string, format: ImageFormat) {
    if (!FORMATS.includes(format)) throw new Refused(`Invalid image format '${String(format)}'`, { image: path });
    this.path = path;
    this.format = format;
  }
}

/** An image in a file. */
export class LocalFileImage extends LocalImage {}

/** A block device that is the disk: its format is always raw. */
export class LocalBlockImage extends LocalImage {
  constructor(path: string) {
    super(path, 'raw');
  }
}
