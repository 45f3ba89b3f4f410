/**
 * Capabilities of files: the attribute `security.capability` (struct vfs_cap_data, include/uapi/linux/capability.h) and the text form of
 * cap_from_text(3).
 */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';

/** The names of capabilities(7), each at the index of its bit. */
const NAMES = (
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin ' +
  'net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time ' +
  'sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon ' +
  'bpf checkpoint_restore'
)
  .split(' ')
  .map((name) => `cap_${name}`);
const ALL = 64;

/** The flags of one capability, together its state. */
const EFFECTIVE = 1;
const PERMITTED = 2;
const INHERITABLE = 4;
const FLAGS: Readonly<Record<string, number>> = { e: EFFECTIVE, i: INHERITABLE, p: PERMITTED };

/** The state of each of the 64 capabilities. */
export type Capabilities = Uint8Array;

function invalid(word: string): Posix {
  return new Posix('EINVAL', {}, `'${word}' sets no capabilities; cap_net_raw,cap_net_admin=ep would`);
}

/** Throws EINVAL for text that is none. */
export function parseCapabilities(text: string): Capabilities {
  const states = new Uint8Array(ALL);
  for (const clause of text.split(/[ \t\n\v\f\r]+/)) {
    if (clause === '') continue;
    const match = /^([A-Za-z0-9_,]*)((?:[-+=][eip]*)+)$/.exec(clause);
    if (match === null) throw invalid(clause);
    const [, list = '', actions = ''] = match;
    if (list === '' && !actions.startsWith('=')) throw invalid(clause);
    const bits = list === '' ? named() : list.split(',').flatMap((name) => bitsOf(name, clause));
    // Only the first action may assign.
    if (actions.lastIndexOf('=') > 0) throw invalid(clause);
    for (const [, operator = '', letters = ''] of actions.matchAll(/([-+=])([eip]*)/g)) {
      if (operator !== '=' && letters === '') throw invalid(clause);
      const flags = [...letters].reduce((sum, letter) => sum | (FLAGS[letter] ?? 0), 0);
      for (const bit of bits) {
        const state = states[bit] as number;
        states[bit] = operator === '=' ? flags : operator === '+' ? state | flags : state & ~flags;
      }
    }
  }
  return states;
}

function named(): number[] {
  return NAMES.map((_, bit) => bit);
}

function bitsOf(name: string, clause: string): number[] {
  if (name.toLowerCase() === 'all') return named();
  if (/^(?:0x[0-9a-f]{1,4}|[0-9]{1,4})$/i.test(name)) {
    const bit = /^0[0-7]+$/.test(name) ? Number.parseInt(name, 8) : Number(name);
    if (bit < ALL) return [bit];
  }
  const bit = NAMES.indexOf(name.toLowerCase());
  if (bit < 0) throw invalid(clause);
  return [bit];
}

function flagsText(state: number): string {
  return (state & EFFECTIVE ? 'e' : '') + (state & INHERITABLE ? 'i' : '') + (state & PERMITTED ? 'p' : '');
}

/** What most capabilities are first, as `=ep`, then the others, as cap_to_text(3) writes them. */
export function formatCapabilities(states: Capabilities): string {
  const counts = new Array<number>(8).fill(0);
  for (let bit = 0; bit < NAMES.length; bit++) counts[states[bit] as number] = (counts[states[bit] as number] ?? 0) + 1;
  let base = 7;
  for (let state = 6; state >= 0; state--) if ((counts[state] ?? 0) > (counts[base] ?? 0)) base = state;
  const clauses: string[] = [];
  const among = (from: number, to: number, state: number): string[] => {
    const names: string[] = [];
    for (let bit = from; bit < to; bit++) if (states[bit] === state) names.push(NAMES[bit] ?? String(bit));
    return names;
  };
  for (let state = 7; state >= 0; state--) {
    const names = state === base ? [] : among(0, NAMES.length, state);
    if (names.length === 0) continue;
    const more = state & ~base;
    const less = base & ~state;
    const change = (more === 0 ? '' : `+${flagsText(more)}`) + (less === 0 ? '' : `-${flagsText(less)}`);
    clauses.push(names.join(',') + change);
  }
  // Where most are unset, the first clause assigns and nothing else has to be said.
  const [first] = clauses;
  if (base === 0 && first !== undefined) clauses[0] = first.replace('+', '=');
  else clauses.unshift(`=${flagsText(base)}`);
  for (let state = 7; state > 0; state--) {
    const names = among(NAMES.length, ALL, state);
    if (names.length > 0) clauses.push(`${names.join(',')}+${flagsText(state)}`);
  }
  return clauses.join(' ');
}

const REVISION_MASK = 0xff000000;
const REVISION_1 = 0x01000000;
const REVISION_2 = 0x02000000;
const REVISION_3 = 0x03000000;
const EFFECTIVE_FLAG = 1;
/** Bytes of the attribute by revision. */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  [REVISION_1, 12],
  [REVISION_2, 20],
  [REVISION_3, 24],
]);

/** Undefined for bytes that are no capabilities. */
export function decodeCapabilities(bytes: Bytes): Capabilities | undefined {
  if (bytes.length < 4) return undefined;
  const view = viewOf(bytes);
  const magic = view.getUint32(0, true);
  const revision = (magic & REVISION_MASK) >>> 0;
  if (LENGTHS.get(revision) !== bytes.length) return undefined;
  const states = new Uint8Array(ALL);
  const words = revision === REVISION_1 ? 1 : 2;
  for (let bit = 0; bit < words * 32; bit++) {
    const at = 4 + (bit >> 5) * 8;
    const state =
      (((view.getUint32(at, true) >>> (bit & 31)) & 1) * PERMITTED) | (((view.getUint32(at + 4, true) >>> (bit & 31)) & 1) * INHERITABLE);
    states[bit] = state === 0 || (magic & EFFECTIVE_FLAG) === 0 ? state : state | EFFECTIVE;
  }
  return states;
}

/** Throws EINVAL when some of what is permitted or inheritable is effective and some is not: a file has one bit for all. */
export function encodeCapabilities(states: Capabilities): Bytes {
  const bytes = new Uint8Array(20);
  const view = viewOf(bytes);
  const effective = states.some((state) => (state & EFFECTIVE) !== 0);
  if (effective && states.some((state) => ((state & EFFECTIVE) !== 0) !== ((state & (PERMITTED | INHERITABLE)) !== 0))) {
    throw new Posix('EINVAL', {}, 'the effective flag of a file is for all its capabilities or for none');
  }
  view.setUint32(0, REVISION_2 | (effective ? EFFECTIVE_FLAG : 0), true);
  for (let bit = 0; bit < ALL; bit++) {
    const at = 4 + (bit >> 5) * 8;
    const one = (1 << (bit & 31)) >>> 0;
    if (((states[bit] ?? 0) & PERMITTED) !== 0) view.setUint32(at, (view.getUint32(at, true) | one) >>> 0, true);
    if (((states[bit] ?? 0) & INHERITABLE) !== 0) view.setUint32(at + 4, (view.getUint32(at + 4, true) | one) >>> 0, true);
  }
  return bytes;
}
