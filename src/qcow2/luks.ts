/** The LUKS header of an encrypted image, as far as it describes the encryption (LUKS1 On-Disk Format Specification 1.2.3). */
import { array, type Bytes, be, type Field, raw, type Struct, struct } from '../bytes/struct.ts';
import { latin1, untilNul } from '../bytes/text.ts';
import { Corrupt, Unsupported, type Where } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';

type PhdrFields = {
  readonly magic: Field<number[]>;
  readonly version: Field<number>;
  readonly cipher_name: Field<Bytes>;
  readonly cipher_mode: Field<Bytes>;
  readonly hash_spec: Field<Bytes>;
  readonly payload_offset: Field<number>;
  readonly key_bytes: Field<number>;
  readonly mk_digest_iter: Field<number>;
  readonly uuid: Field<Bytes>;
};

/** The partition header, without what only decryption needs. */
const PHDR: Struct<PhdrFields> = struct('LUKS phdr', 592, {
  magic: array(0, 3, be.u16),
  version: be.u16(6),
  cipher_name: raw(8, 32),
  cipher_mode: raw(40, 32),
  hash_spec: raw(72, 32),
  payload_offset: be.u32(104),
  key_bytes: be.u32(108),
  mk_digest_iter: be.u32(164),
  uuid: raw(168, 40),
});

type KeySlotFields = {
  readonly active: Field<number>;
  readonly iterations: Field<number>;
  readonly key_material_offset: Field<number>;
  readonly stripes: Field<number>;
};

const KEY_SLOT: Struct<KeySlotFields> = struct('LUKS key slot', 48, {
  active: be.u32(0),
  iterations: be.u32(4),
  key_material_offset: be.u32(40),
  stripes: be.u32(44),
});

const KEY_SLOTS_AT = 208;
const KEY_SLOTS = 8;
const ACTIVE = 0x00ac71f3;

export interface LuksKeySlot {
  readonly active: boolean;
  readonly iterations: number;
  /** Bytes from the beginning of the LUKS header. */
  readonly keyOffset: number;
  readonly stripes: number;
}

export interface LuksHeader {
  readonly cipherName: string;
  readonly cipherMode: string;
  readonly hash: string;
  readonly keyBytes: number;
  readonly payloadOffset: number;
  readonly masterKeyIterations: number;
  readonly uuid: string;
  readonly slots: readonly LuksKeySlot[];
}

/** Reads the LUKS header that the encryption extension points to. */
export function* readLuksHeader(source: ByteSource, at: { offset: number; length: number }, where: Where): Io<LuksHeader> {
  const here: Where = { ...where, offset: at.offset };
  if (at.length < PHDR.size || at.offset + PHDR.size > source.size)
    throw new Corrupt('the LUKS header runs past the end of the file', here);
  const bytes = new Uint8Array(PHDR.size);
  yield* readPadded(source, at.offset, bytes);
  const header = PHDR.read(bytes);
  if (header.magic[0] !== 0x4c55 || header.magic[1] !== 0x4b53 || header.magic[2] !== 0xbabe)
    throw new Corrupt('there is no LUKS header', here);
  if (header.version !== 1) throw new Unsupported(`LUKS version ${header.version}`, undefined, here);
  const slots = Array.from({ length: KEY_SLOTS }, (_, i) => {
    const slot = KEY_SLOT.read(bytes, KEY_SLOTS_AT + i * KEY_SLOT.size);
    return {
      active: slot.active === ACTIVE,
      iterations: slot.iterations,
      keyOffset: slot.key_material_offset * 512,
      stripes: slot.stripes,
    };
  });
  return {
    cipherName: latin1(untilNul(header.cipher_name)),
    cipherMode: latin1(untilNul(header.cipher_mode)),
    hash: latin1(untilNul(header.hash_spec)),
    keyBytes: header.key_bytes,
    payloadOffset: header.payload_offset * 512,
    masterKeyIterations: header.mk_digest_iter,
    uuid: latin1(untilNul(header.uuid)),
    slots,
  };
}
