/** A thread that copies pieces; it shares the table of pieces and the process's descriptors, so that nothing else has to be sent. */
import { workerData } from 'node:worker_threads';
import { nodeCodecs } from './codecs.ts';
import { PieceCopier } from './copy-pieces.ts';
import { type CopyShare, workOn } from './copy-queue.ts';

const share = workerData as CopyShare;
workOn(share, new PieceCopier(share.table, share.target, share.unit, nodeCodecs));
