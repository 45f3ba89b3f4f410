/** Files on their way out of the page: to one that the user chose, or to one of the browser's own that is then downloaded. */
import type { WritableSource } from '../../../src/io/source.ts';
import { ChosenFile, hasOpfs, makeTemporaryFile, PiecesSource } from '../../../src/platform/browser/index.ts';
import type { Written } from '../protocol.ts';

/** Bytes of a file that is made in memory, where the browser has no other place. */
const MEMORY_LIMIT: number = 1 << 30;

export interface Outgoing {
  readonly target: WritableSource;
  /** The file, unless it is where the user chose. */
  finish(): Promise<Blob | undefined>;
  abandon(): Promise<void>;
}

export async function openOutgoing(chosen: FileSystemFileHandle | undefined): Promise<Outgoing> {
  if (chosen !== undefined) {
    const target = new ChosenFile(chosen.name, await chosen.createWritable());
    return {
      target,
      finish: async () => {
        await target.finish();
        return undefined;
      },
      abandon: () => target.abandon(),
    };
  }
  const temporary = hasOpfs() ? await makeTemporaryFile().catch(() => undefined) : undefined;
  if (temporary !== undefined) return { target: temporary.source, finish: () => temporary.finish(), abandon: () => temporary.abandon() };
  const pieces = new PiecesSource(MEMORY_LIMIT);
  return { target: pieces, finish: async () => pieces.toBlob(), abandon: async () => undefined };
}

/** Lets `body` write a file. */
export async function outgoing(
  name: string,
  chosen: FileSystemFileHandle | undefined,
  body: (target: WritableSource, warn: (message: string) => void) => Promise<void>,
): Promise<Written> {
  const out = await openOutgoing(chosen);
  const warnings: string[] = [];
  try {
    await body(out.target, (message) => void (warnings.length < 100 && warnings.push(message)));
    const file = await out.finish();
    return { name: chosen?.name ?? name, warnings, ...(file === undefined ? {} : { file }) };
  } catch (error) {
    await out.abandon();
    throw error;
  }
}
