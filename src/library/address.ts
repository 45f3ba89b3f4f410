/** Images on the network, by address. */
import { Unsupported } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import type { WritableSource } from '../io/source.ts';

/** Whether a name is an address and no file of the host. */
export function isAddress(name: string): boolean {
  return /^(?:nbd|nbd\+unix|rbd|ssh|iscsi|ftps?|tftp|gluster|sheepdog|https?):/.test(name);
}

/** Whether a word of a command line is an address, or an option with one. */
export function namesAddress(word: string): boolean {
  return /(?:^|[=,])(?:nbd|https?)[:+]/.test(word);
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
  // Loaded when they are needed: most calls are about files.
  if (/^https?:/.test(address)) return await (await import('../platform/node/http.ts')).openUrl(address);
  if (/^nbd/.test(address)) return await (await import('../platform/node/nbd.ts')).openNbd(address);
  const protocol = address.slice(0, address.indexOf(':'));
  throw new Unsupported(protocol, `images by ${protocol} cannot be opened; http, https and nbd can`, { image: address });
}
