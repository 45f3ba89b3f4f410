/** `img amend`: options of a qcow2 image that can be changed afterwards. */
import { Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { type Amendment, amendQcow2 } from '../../qcow2/amend.ts';
import { resizeQcow2 } from '../../qcow2/resize.ts';
import type { Run } from '../declaration.ts';
import { parseCreationOptions } from './creation-options.ts';
import { openQcow2ForWriting } from './open-writable.ts';

export const amend: Run = function* (invocation, host): Io<number> {
  if (invocation.values('--options').length === 0) throw invocation.wrongUse('the options to change are missing (-o)');
  const { version, lazyRefcounts, size, ...rest } = parseCreationOptions(invocation);
  const other = Object.keys(rest)[0];
  if (other !== undefined) throw new Unsupported(`amending ${other}`, 'only compat, lazy_refcounts and size can be changed');
  const { disk } = yield* openQcow2ForWriting(host, invocation.argument('IMAGE'), invocation.value('--format'), 'options');
  const amendment: Amendment = { ...(version === undefined ? {} : { version }), ...(lazyRefcounts === undefined ? {} : { lazyRefcounts }) };
  if (version !== undefined || lazyRefcounts !== undefined) yield* amendQcow2(disk, amendment);
  if (size !== undefined) yield* resizeQcow2(disk, size);
  return 0;
};
