/** Verbs about ISO 9660 images: what their volume descriptor says. */

import { Corrupt, Posix } from '../../errors.ts';
import type { Timestamp } from '../../filesystem/filesystem.ts';
import type { BlockDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { identifierText, longDate, readPrimaryDescriptor, type VolumeDescriptor } from '../../iso9660/index.ts';
import type { Calls } from '../api/calls.ts';
import { fileDevice } from './file-device.ts';
import type { Verbs } from './verb.ts';

/** What the API says of a time that is not given. */
const NO_TIME = -1;

const seconds = (time: Timestamp | undefined): number => time?.seconds ?? NO_TIME;

function* information(device: BlockDevice, name: string): Io<Calls['isoinfo']['result']> {
  const descriptor = yield* primaryDescriptor(device, name);
  return {
    iso_system_id: identifierText(descriptor.systemIdentifier),
    iso_volume_id: identifierText(descriptor.volumeIdentifier),
    iso_volume_space_size: descriptor.volumeSpaceSize,
    iso_volume_set_size: descriptor.volumeSetSize,
    iso_volume_sequence_number: descriptor.volumeSequenceNumber,
    iso_logical_block_size: descriptor.logicalBlockSize,
    iso_volume_set_id: identifierText(descriptor.volumeSetIdentifier),
    iso_publisher_id: identifierText(descriptor.publisherIdentifier),
    iso_data_preparer_id: identifierText(descriptor.dataPreparerIdentifier),
    iso_application_id: identifierText(descriptor.applicationIdentifier),
    iso_copyright_file_id: identifierText(descriptor.copyrightFileIdentifier),
    iso_abstract_file_id: identifierText(descriptor.abstractFileIdentifier),
    iso_bibliographic_file_id: identifierText(descriptor.bibliographicFileIdentifier),
    iso_volume_creation_t: seconds(longDate(descriptor.creationDateAndTime)),
    iso_volume_modification_t: seconds(longDate(descriptor.modificationDateAndTime)),
    iso_volume_expiration_t: seconds(longDate(descriptor.expirationDateAndTime)),
    iso_volume_effective_t: seconds(longDate(descriptor.effectiveDateAndTime)),
  };
}

function* primaryDescriptor(device: BlockDevice, name: string): Io<VolumeDescriptor> {
  try {
    return yield* readPrimaryDescriptor(device);
  } catch (error) {
    if (!(error instanceof Corrupt)) throw error;
    throw new Posix('EINVAL', { path: name }, 'not an ISO file or CD-ROM');
  }
}

export const isoVerbs: Verbs = {
  isoinfo: {
    summary: 'gives what the volume descriptor of an ISO file says',
    *run({ tree }, { isofile }) {
      return yield* information(fileDevice(yield* tree.file(isofile)), isofile);
    },
  },
  isoinfo_device: {
    summary: 'gives what the volume descriptor of a device says',
    *run({ disk }, { device }) {
      return yield* information(yield* disk.device(device), device);
    },
  },
};
