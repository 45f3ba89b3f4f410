/** Drives on the network, by the addresses that libguestfs gives them. */
import type { DriveOptions } from '../commands/verbs/handle.ts';
import { Unsupported } from '../errors.ts';
import type { DriveArguments } from '../guestfs/hypervisor-arguments.ts';
import { denyGate } from '../image/gate.ts';
import { openImage } from '../image/open.ts';
import { type Io, perform } from '../io/effect.ts';
import { nodeCodecs } from '../platform/node/codecs.ts';
import { openUrl } from '../platform/node/http.ts';

/** Whether a drive's file is an address and no file of the host. */
export function isAddress(file: string): boolean {
  return /^(?:nbd|rbd|ssh|iscsi|ftps?|tftp|gluster|sheepdog|https?):/.test(file);
}

/** Opens a drive on the network. Throws Unsupported for a protocol that is not spoken here. */
export function* openNetworkDrive({ file, format, readOnly, label, blockSize }: DriveArguments): Io<DriveOptions> {
  const protocol = file.slice(0, file.indexOf(':'));
  if (protocol !== 'http' && protocol !== 'https') {
    throw new Unsupported(protocol, `drives by ${protocol} cannot be opened; http, https and files can`, { image: file });
  }
  const source = yield* perform({
    waits: true,
    sync() {
      throw new Unsupported(protocol);
    },
    async: () => openUrl(file),
  });
  const image = yield* openImage(source, { codecs: nodeCodecs, gate: denyGate, ...(format === undefined ? {} : { format }) });
  if (!readOnly)
    throw new Unsupported(`writing by ${protocol}`, 'changes cannot be written to a web server; add the drive read-only', { image: file });
  return { image, readOnly, ...(label === undefined ? {} : { label }), ...(blockSize === undefined ? {} : { blockSize }) };
}
