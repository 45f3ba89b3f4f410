/** The process that libguestfs starts in place of qemu: opens the drives, connects to the client, serves it, and writes changes back. */

import type { DriveOptions } from '../commands/verbs/handle.ts';
import { Handle } from '../commands/verbs/handle.ts';
import { GuestlessError } from '../errors.ts';
import { type DriveArguments, readHypervisorArguments } from '../guestfs/hypervisor-arguments.ts';
import { Server, serve } from '../guestfs/serve.ts';
import { runWaiting } from '../io/drivers.ts';
import { type Io, perform } from '../io/effect.ts';
import { allowedByEnvironment, nodeHandleHost, openDrive } from '../library/drive.ts';
import { filesNamedToClient } from './client.ts';
import { Console } from './console.ts';
import { SocketChannel } from './socket-channel.ts';

/** Serves one client; the exit status. `words` are those of the hypervisor. */
export async function serveAppliance(words: readonly string[]): Promise<number> {
  const { socket, drives, verbose } = readHypervisorArguments(words);
  // Ctrl-C is the client's to hear; this process ends when the client ends it.
  process.on('SIGINT', () => {});
  const console = new Console();
  const say = (message: string): void => console.line(`guestless-appliance: ${message}`);
  let server: Server | undefined;
  const host = {
    ...nodeHandleHost(say),
    *progress(position: number, total: number): Io<void> {
      if (server !== undefined) yield* server.progress(position, total);
    },
    *sleep(milliseconds: number): Io<void> {
      yield* perform({
        waits: true,
        sync() {
          throw new TypeError('waiting takes time');
        },
        async: () => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
      });
    },
  };
  let handle: Handle;
  try {
    const opened: DriveOptions[] = [];
    for (const drive of drives) opened.push(await runWaiting(openOne(drive)));
    handle = new Handle(host, opened);
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    say(error.message);
    return 1;
  }
  const channel = await SocketChannel.connect(socket);
  process.on('SIGTERM', () => channel.end());
  server = new Server(channel, handle, {
    milliseconds: () => performance.now(),
    ...(verbose ? { log: console.line } : {}),
  });
  try {
    await runWaiting(serve(server));
    await runWaiting(finish(handle));
    return 0;
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    say(error.message);
    return 1;
  } finally {
    await channel.close();
    handle.close();
  }
}

/** What the client did stays, also when it went away without a word. */
function* finish(handle: Handle): Io<void> {
  yield* handle.save();
}

function* openOne(drive: DriveArguments): Io<DriveOptions> {
  const locked = process.env['GUESTLESS_LOCKED'] === '1';
  return yield* openDrive({ ...drive, locked, overlay: drive.readOnly, allow: [...allowedByEnvironment(), ...filesNamedToClient()] });
}
