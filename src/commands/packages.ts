/** `packages`: what is installed, one line for each package. */
import { Posix, Unsupported } from '../errors.ts';
import { inspect, mountSystem } from '../guest/inspect/inspection.ts';
import { listPackages } from '../guest/inspect/packages.ts';
import type { Io } from '../io/effect.ts';
import type { Package } from '../packages/index.ts';
import type { Run } from './declaration.ts';
import { openImageDisk } from './open.ts';
import { escapeControls, JsonLines, Printer } from './output.ts';

export const packages: Run = function* (invocation, host, output): Io<number> {
  const { disk } = yield* openImageDisk(invocation, host);
  const systems = yield* inspect(disk, ({ device, error }) => host.warn(`${device}: ${error.message}`));
  if (systems.length === 0) throw new Posix('ENOENT', { image: invocation.argument('IMAGE') }, 'there is no operating system on it');
  const lines = output.json ? new JsonLines(output) : undefined;
  const printer = new Printer(output);
  for (const system of systems) {
    const list = yield* listPackages(yield* mountSystem(disk, system), system.packageFormat);
    // An empty list would look as if nothing were installed.
    if (list.status === 'unsupported') throw new Unsupported(`packages of ${system.distribution}`, `${system.root}: ${list.reason}`);
    for (const warning of list.warnings) host.warn(warning);
    for (const one of list.packages) {
      if (lines !== undefined) yield* lines.add({ root: system.root, format: list.format, ...one });
      else {
        const fields = [one.name, fullVersion(one), one.architecture === '' ? '-' : one.architecture];
        // A line is one package, whatever its name is made of.
        printer.text((systems.length === 1 ? fields : [...fields, system.root]).map((field) => escapeControls(field)).join('\t'));
        yield* printer.line();
      }
    }
  }
  if (lines === undefined) yield* printer.flush();
  else yield* lines.end();
  return 0;
};

/** `[epoch:]version[-release]`. */
export function fullVersion({ epoch, version, release }: Package): string {
  return `${epoch === 0 ? '' : `${epoch}:`}${version}${release === '' ? '' : `-${release}`}`;
}
