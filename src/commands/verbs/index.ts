/** All verbs of the libguestfs API that are here. */

import { aclVerbs } from './acl.ts';
import { archiveVerbs } from './archives.ts';
import { attributeVerbs } from './attributes.ts';
import { augeasVerbs } from './augeas.ts';
import { capabilityVerbs } from './capabilities.ts';
import { checksumVerbs } from './checksums.ts';
import { contentVerbs } from './content.ts';
import { copyVerbs } from './copies.ts';
import { deviceVerbs } from './devices.ts';
import { directoryVerbs } from './directories.ts';
import { extCheckVerbs } from './ext-check.ts';
import { extMakeVerbs } from './ext-make.ts';
import { extProbeVerbs } from './ext-probe.ts';
import { extTuneVerbs } from './ext-tune.ts';
import { fileVerbs } from './files.ts';
import { handleVerbs } from './handle-verbs.ts';
import { inspectionVerbs } from './inspection.ts';
import { isoVerbs } from './iso.ts';
import { lineVerbs } from './lines.ts';
import { linkVerbs } from './links.ts';
import { listingVerbs } from './listing.ts';
import { mountPointVerbs } from './mount-points.ts';
import { partitionVerbs } from './partitions.ts';
import { searchVerbs } from './search.ts';
import { streamVerbs } from './streams.ts';
import { swapVerbs } from './swap.ts';
import { systemVerbs } from './system.ts';
import { usageVerbs } from './usage.ts';
import type { AnyVerb, Verbs } from './verb.ts';
import { volumeVerbs } from './volumes.ts';
import { xattrVerbs } from './xattrs.ts';

/** Every domain's verbs; a new domain is added here. */
const DOMAINS: readonly Verbs[] = [
  inspectionVerbs,
  handleVerbs,
  aclVerbs,
  archiveVerbs,
  attributeVerbs,
  augeasVerbs,
  capabilityVerbs,
  checksumVerbs,
  contentVerbs,
  copyVerbs,
  deviceVerbs,
  directoryVerbs,
  extCheckVerbs,
  extMakeVerbs,
  extProbeVerbs,
  extTuneVerbs,
  fileVerbs,
  isoVerbs,
  lineVerbs,
  linkVerbs,
  listingVerbs,
  mountPointVerbs,
  partitionVerbs,
  searchVerbs,
  streamVerbs,
  swapVerbs,
  systemVerbs,
  volumeVerbs,
  usageVerbs,
  xattrVerbs,
];

let all: Map<string, AnyVerb> | undefined;

function allVerbs(): ReadonlyMap<string, AnyVerb> {
  if (all === undefined) {
    all = new Map();
    for (const domain of DOMAINS) for (const [name, verb] of Object.entries(domain)) all.set(name, verb as AnyVerb);
  }
  return all;
}

/** A verb by its name in the API; undefined when it is not here. */
export function findVerb(name: string): AnyVerb | undefined {
  return allVerbs().get(name);
}

/** The names of all verbs that are here. */
export function verbNames(): Iterable<string> {
  return allVerbs().keys();
}
