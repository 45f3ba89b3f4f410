/** `img check -r`: repairing the refcounts of a qcow2 image. */
import type { Io } from '../../io/effect.ts';
import { repairQcow2 } from '../../qcow2/repair.ts';
import type { Run } from '../declaration.ts';
import { failingWith } from '../exit-status.ts';
import { check, humanReport, jsonReport, STATUS_ERROR, statusOf } from './check.ts';
import { printJson, printText, wantsJson } from './document.ts';

export const checkOrRepair: Run = (invocation, host, output) => {
  if (!invocation.has('--repair')) return check(invocation, host, output);
  return failingWith(STATUS_ERROR, repair(invocation, host, output));
};

const repair: Run = function* (invocation, host, output): Io<number> {
  const name = invocation.argument('IMAGE');
  const mode = invocation.value('--repair') === 'all' ? 'all' : 'leaks';
  const { report, leaksFixed, corruptionsFixed } = yield* repairQcow2(yield* host.openForWriting(name), mode);
  if (!invocation.has('--quiet')) {
    if (wantsJson(invocation)) {
      yield* printJson(output, {
        ...jsonReport(report, name),
        ...(leaksFixed === 0 ? {} : { 'leaks-fixed': leaksFixed }),
        ...(corruptionsFixed === 0 ? {} : { 'corruptions-fixed': corruptionsFixed }),
      });
    } else {
      const fixed = leaksFixed + corruptionsFixed;
      const found =
        fixed === 0
          ? ''
          : `The following inconsistencies were found and repaired:\n\n    ${leaksFixed} leaked clusters\n    ${corruptionsFixed} corruptions\n\n`;
      yield* printText(output, found + humanReport(report));
    }
  }
  return statusOf(report);
};
