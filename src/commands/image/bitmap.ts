/** `img bitmap`: the persistent dirty bitmaps of a qcow2 image, listed. */
import { describeImage } from '../../image/information.ts';
import type { Io } from '../../io/effect.ts';
import type { Run } from '../declaration.ts';
import { printJson, printText, wantsJson } from './document.ts';

export const bitmap: Run = function* (invocation, host, output): Io<number> {
  const format = invocation.value('--format');
  const source = yield* host.openFile(invocation.argument('IMAGE'));
  const { metadata, information } = yield* describeImage(source, format === undefined ? {} : { format });
  for (const warning of metadata?.warnings ?? []) host.warn(warning.message);
  const bitmaps = information['format-specific']?.data.bitmaps ?? [];
  if (wantsJson(invocation)) yield* printJson(output, bitmaps);
  else for (const { name, granularity, flags } of bitmaps) yield* printText(output, `${name} ${granularity} ${flags.join(',') || '-'}\n`);
  return 0;
};
