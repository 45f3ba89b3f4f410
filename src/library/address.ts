/** Images on the network, by address. */
import { Unsupported } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import type { WritableSource } from '../io/source.ts';
import { openUrl } from '../platform/node/http.ts';
import { openNbd } from '../platform/node/nbd.ts';

/** Whether a name is an address and no file of the host. */
export function isAddress(name: string): boolean {
  return /^(?:nbd|nbd\+unix|rbd|ssh|iscsi|ftps?|tftp|gluster|sheepdog|https?):/.test(name);
}

/** Opens what an address names; it can only be used asynchronously. Throws Unsupported for a protocol that is not spoken here. */
export function* openAddress(address: string): Io<WritableSource> {
  return yield* perform<WritableSource>({
    waits: true,
    sync() {
      throw new Unsupported('waiting for the network', 'this can only be opened asynchronously', { image: address });
    },
    async: () => connect(address),
  });
}

async function connect(address: string): Promise<WritableSource> {
  if (/^https?:/.test(address)) return await openUrl(address);
  if (/^nbd/.test(address)) return await openNbd(address);
  const protocol = address.slice(0, address.indexOf(':'));
  throw new Unsupported(protocol, `images by ${protocol} cannot be opened; http, https and nbd can`, { image: address });
}
