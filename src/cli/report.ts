/** The last word of the tool: errors as a line and an exit status. */
import { exitStatusOf } from '../commands/exit-status.ts';
import { GuestlessError } from '../errors.ts';
import { ClosedPipe, say } from './output.ts';

/** 128 + SIGPIPE, as a shell reports programs that wrote into a closed pipe. */
const STATUS_CLOSED_PIPE = 141;
const STATUS = { posix: 1, refused: 2, unsupported: 3, corrupt: 4 } as const;

/** Says what went wrong, and gives the exit status. */
export function report(error: unknown, json: boolean): number {
  if (error instanceof ClosedPipe) return STATUS_CLOSED_PIPE;
  if (error instanceof GuestlessError) {
    const { message, family, code, where } = error;
    say(json ? JSON.stringify({ error: message, family, code, where }) : `guestless: ${message}`, json);
    return exitStatusOf(error) ?? STATUS[family];
  }
  const message = error instanceof Error ? error.message : String(error);
  say(
    json ? JSON.stringify({ error: message, family: 'internal', code: 'INTERNAL', where: {} }) : `guestless: internal error: ${message}`,
    json,
  );
  if (process.env['GUESTLESS_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return 1;
}
