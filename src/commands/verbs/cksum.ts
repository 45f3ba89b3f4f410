/** The checksum of cksum(1): POSIX.1-2017, cksum, "Extended Description". */
import type { Bytes } from '../../bytes/struct.ts';

/** CRC-32 with the polynomial 0x04C11DB7, highest bit first. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = (byte << 24) >>> 0;
  for (let bit = 0; bit < 8; bit++) value = ((value << 1) ^ (value & 0x80000000 ? 0x04c11db7 : 0)) >>> 0;
  return value;
});

export class Cksum {
  #crc = 0;
  #length = 0;

  update(bytes: Bytes): void {
    let crc = this.#crc;
    for (const byte of bytes) crc = ((crc << 8) ^ (TABLE[(crc >>> 24) ^ byte] as number)) >>> 0;
    this.#crc = crc;
    this.#length += bytes.length;
  }

  /** The checksum of all that came, its length included. */
  value(): number {
    let crc = this.#crc;
    for (let left = this.#length; left > 0; left = Math.floor(left / 256)) {
      crc = ((crc << 8) ^ (TABLE[(crc >>> 24) ^ (left % 256)] as number)) >>> 0;
    }
    return ~crc >>> 0;
  }
}
