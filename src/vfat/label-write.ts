/** Writing the volume label. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import { placeSlots } from './directory-write.ts';
import {
  ATTR_VOLUME_ID,
  BOOT_SIGNATURE_FULL,
  DIRECTORY_ENTRY,
  ENTRY_SIZE,
  EXTENDED_BOOT_RECORD,
  NAME_DELETED,
  NAME_KANJI,
} from './format.ts';
import { bootSectorLabel, encodeLabel } from './label.ts';
import { encodeTime } from './time.ts';
import { failure, type WritableVolume } from './writable-volume.ts';
import { decodeWtf8, encodeWtf8 } from './wtf8.ts';

/** Sets the label in the root directory and in the boot sectors. Throws EINVAL for one that cannot be stored. */
export function* writeLabel(volume: WritableVolume, label: Bytes): Io<void> {
  const text = decodeWtf8(label);
  const name = text === undefined ? undefined : encodeLabel(text, volume.codePage);
  if (text === undefined || name === undefined) throw failure('EINVAL');
  const root = yield* volume.directory(volume.rootNode());
  const there = root.label;
  if (text === '' && there !== undefined) {
    yield* volume.device.write(root.offsetOf(there.slot), Uint8Array.of(NAME_DELETED));
    root.markFree(there.slot, there.slot);
    root.label = undefined;
  } else if (text !== '') {
    const inEntry = name.slice();
    if (inEntry[0] === NAME_DELETED) inEntry[0] = NAME_KANJI;
    const { date, time } = encodeTime(volume.clock(), volume.zoneMinutes);
    if (there !== undefined) {
      const change = { DIR_Name: inEntry, DIR_WrtDate: date, DIR_WrtTime: time };
      yield* volume.patchEntry(root.offsetOf(there.slot), change);
      root.label = { text, slot: there.slot };
    } else {
      const bytes = new Uint8Array(ENTRY_SIZE);
      const fields = { ...volume.newFields(ATTR_VOLUME_ID, 0), DIR_CrtDate: 0, DIR_CrtTime: 0, DIR_CrtTimeTenth: 0, DIR_LstAccDate: 0 };
      DIRECTORY_ENTRY.write(bytes, 0, { ...fields, DIR_Name: inEntry });
      root.label = { text, slot: yield* placeSlots(volume, volume.rootNode(), root, bytes) };
    }
  }
  const own = bootSectorLabel(text, name);
  for (const start of [0, volume.geometry.backupOffset]) if (start !== undefined) yield* labelBootSector(volume, start, own);
  volume.label = encodeWtf8(text.replace(/ +$/, ''));
}

function* labelBootSector(volume: WritableVolume, start: number, label: Bytes): Io<void> {
  const sector = (yield* volume.device.read(start, 512)).slice();
  const at = volume.geometry.extendedAt;
  if (EXTENDED_BOOT_RECORD.read(sector, at).BS_BootSig !== BOOT_SIGNATURE_FULL) return;
  EXTENDED_BOOT_RECORD.write(sector, at, { BS_VolLab: label });
  yield* volume.device.write(start, sector);
}
