/** `web`: the page, served on this computer. */
import { encodeName } from '../bytes/text.ts';
import { Refused, Unsupported } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { Run } from './declaration.ts';

const DEFAULT_PORT = 8080;

export const web: Run = function* (invocation, host, output): Io<number> {
  const text = invocation.value('--port') ?? String(DEFAULT_PORT);
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535)
    throw new Refused(`--port ${text}: a port is a number from 0 (any that is free) to 65535`);
  if (host.servePage === undefined) throw new Unsupported('serving the page', 'the page cannot be served here');
  yield* host.servePage(port, function* (address) {
    yield* output.write(encodeName(output.json ? `${JSON.stringify({ address })}\n` : `${address}\n`));
  });
  return 0;
};
