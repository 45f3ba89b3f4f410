/** Commits changes into an image and kills itself at the n-th effect on the host: `IMAGE N [LEAST]`, data for
 * blank places going past the journal from LEAST bytes on. Exits 0 when the commit went through. */
import { runSync, SourceDevice, type WritableSource } from '../../src/io/index.ts';
import { commitOverlay, OverlayDevice, RAW_IMAGE } from '../../src/overlay/index.ts';
import { commitHost } from '../../src/platform/node/commit.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { applyChanges } from './changes.ts';

const [image = '', n = '0', least] = process.argv.slice(2);
let left = Number(n);
function tick(): void {
  if (left-- === 0) process.kill(process.pid, 'SIGKILL');
}
function counted(source: WritableSource): WritableSource {
  return {
    name: source.name,
    preferredRequest: source.preferredRequest,
    get size() {
      return source.size;
    },
    readSync: (offset, target) => source.readSync?.(offset, target) ?? 0,
    writeSync(offset, bytes) {
      tick();
      // Half of it, so that a write may also be torn.
      source.writeSync?.(offset, bytes.subarray(0, bytes.length >> 1));
      tick();
      source.writeSync?.(offset + (bytes.length >> 1), bytes.subarray(bytes.length >> 1));
    },
    truncateSync(size) {
      tick();
      source.truncateSync?.(size);
    },
    flushSync() {
      tick();
      source.flushSync?.();
    },
    close: () => source.close?.(),
  };
}

const host = commitHost(image);
const base = FileSource.open(image);
const overlay = new OverlayDevice(new SourceDevice(base));
applyChanges(overlay);
runSync(
  commitOverlay(
    overlay,
    RAW_IMAGE,
    {
      ...host,
      ...(least === undefined ? {} : { leastBlank: Number(least) }),
      openImage: () => counted(host.openImage()),
      createJournal() {
        tick();
        return counted(host.createJournal());
      },
      removeJournal() {
        tick();
        host.removeJournal();
        tick();
      },
      syncFolder() {
        tick();
        host.syncFolder();
      },
    },
    host.stamp(),
  ),
);
