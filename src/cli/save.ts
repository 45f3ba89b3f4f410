/** Where changes go: into the image, through a journal beside it, or into a new qcow2 file over it. */
import type { Host, Saving } from '../commands/host.ts';
import type { CommitHost } from '../io/commit-host.ts';
import { type Io, perform } from '../io/effect.ts';
import { checkBacking, saveOverlay } from '../overlay/save.ts';
import { CLUSTER } from '../overlay/store.ts';
import { WriteBack } from '../overlay/write-back.ts';
import { commitHost } from '../platform/node/commit.ts';
import { checkFree, ExclusiveFile, relativeReference } from '../platform/node/exclusive-file.ts';
import { removeOnSignal } from './interrupt.ts';

/** Does at once what an effect describes. */
function now<T>(action: () => T): Io<T> {
  return perform<T>({ sync: action, async: async () => action() });
}

/** Finishes a commit that was interrupted, and remembers the image as it is now. */
export function* prepareSave(name: string, target: string | undefined, host: Host): Io<Saving> {
  const pause = (): Io<void> => host.pause();
  const options = { codecs: host.codecs, temporary: () => host.openTemporary() };
  if (target !== undefined) {
    yield* now(() => checkFree(target));
    const base = yield* WriteBack.watch(yield* now(() => commitHost(name)), options);
    yield* base.checkBase();
    const backing = yield* now(() => relativeReference(target, name));
    let begun: ExclusiveFile | undefined;
    const begin = (): ExclusiveFile => {
      // Nothing is lost with it but this run's work: the image stays as it is.
      begun ??= ExclusiveFile.begin(target, removeOnSignal, { durable: false });
      return begun;
    };
    return {
      check: (image) => checkBacking(image, name),
      // What has no room in memory is written into the new file at once, to the place where it will stay.
      overlay: { temporary: () => begin().target, origin: CLUSTER },
      *save(image, overlay): Io<void> {
        const file = yield* now(begin);
        yield* saveOverlay(overlay, image, file.target, { backing, pause });
        yield* base.checkBase();
        yield* file.finish();
      },
      abandon: () => begun?.abandon(),
    };
  }
  const back = yield* WriteBack.prepare(yield* now(() => interruptible(commitHost(name), pause)), options);
  return {
    check: (image) => back.check(image),
    overlay: { temporary: () => host.openTemporary() },
    save: (image, overlay) => back.commit(image, overlay),
    abandon: () => {},
  };
}

/** A signal removes the journal while it is written; from then on it is heard only when the image is complete. */
function interruptible(host: CommitHost, pause: () => Io<void>): CommitHost {
  let forget = (): void => {};
  return {
    ...host,
    pause,
    createJournal() {
      // Before it is made: a signal right behind would leave it. Signals are heard at pauses only, so that no other's journal is removed.
      forget = host.journalName === undefined ? () => {} : removeOnSignal(host.journalName);
      try {
        return host.createJournal();
      } catch (error) {
        forget();
        throw error;
      }
    },
    removeJournal() {
      host.removeJournal();
      forget();
    },
  };
}
