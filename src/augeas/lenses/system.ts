/** What the system is started and set up with: tmpfiles.d(5), grubenv, the command line of the kernel, mdadm.conf(5), kdump.conf(5). */
import {
  all,
  counter,
  either,
  hidden,
  key,
  keyword,
  type Lens,
  label,
  many,
  maybe,
  node,
  type Part,
  separated,
  sequence,
  some,
  store,
} from '../lens.ts';
import { blanks, comment, commentOrEnd, endOfLine, field, indent, lines, records, WORD } from './common-parts.ts';

const space = blanks();
const UNIT = 's|m|min|h|d|w|ms|us|(second|minute|hour|day|week|millisecond|microsecond)s?';

/** Fields, each of which is there only behind the one before. */
function fields(first: readonly [string, string], ...rest: readonly (readonly [string, string])[]): Lens {
  const one = field(first[0], first[1]);
  const [second, ...others] = rest;
  return second === undefined ? one : all(one, maybe(space, fields(second, ...others)));
}

export const tmpfiles: Lens = records(
  node(
    sequence('record'),
    indent,
    field('type', '([fFwdDevqQpLcbCxXrRzZtThHaAm]|[fFwpLcbaA]\\+)!?-?'),
    space,
    fields(
      ['path', '[^# \\t\\n]+'],
      ['mode', '-|~?[0-7]{3,4}'],
      ['uid', '[^# \\t\\n]+'],
      ['gid', '[^# \\t\\n]+'],
      ['age', `(-|(~?[0-9]+(${UNIT})?)+)`],
      ['argument', '[^# \\t\\n]([^#\\n]*[^# \\t\\n])?'],
    ),
    commentOrEnd,
  ),
);

export const grubEnvironment: Lens = lines(
  comment,
  node(sequence('target'), field('name', '[A-Za-z_][A-Za-z0-9_]*'), '=', field('value', '[^\\\\\\n]*(\\\\(\\\\|\\n)[^\\\\\\n]*)*'), '\n'),
);

export const kernelCommandLine: Lens = all(
  maybe(separated(either(node(key(WORD), '=', store('[^ \\t\\r\\n]+')), node(key(WORD))), space)),
  hidden('\\n?', ''),
);

/** A word in any case; letters behind `|` may be missing from the end on. */
function abbreviation(word: string): string {
  const [needed = '', rest = ''] = word.split('|');
  const any = (text: string): string => Array.from(text, (c) => (/[a-z]/i.test(c) ? `[${c.toLowerCase()}${c.toUpperCase()}]` : c)).join('');
  return any(needed) + Array.from(rest).reduceRight((inner, c) => `(${any(c)}${inner})?`, '');
}

const VALUE = '[^ \\t\\n#]+';
const gap = either(hidden('\\n[ \\t]+|[ \\t]+(\\n[ \\t]+)?', ' '), all(comment, hidden('[ \\t]+', ' ')));
const line = (word: string, ...content: readonly Part[]): Lens => {
  const whole = word.replace('|', '');
  return node(hidden(abbreviation(word), whole.toUpperCase()), label(whole), ...content, commentOrEnd);
};
const pairs = (names: string): Lens[] =>
  names.split(' ').map((name) => node(hidden(`${abbreviation(name)}=`, `${name.toUpperCase()}=`), label(name), store(VALUE)));
const word = (name: string): Lens => node(hidden(abbreviation(name), name), label(name));
const values = many(gap, node(label('value'), store(VALUE)));
const policy = many(gap, node(key('[^ \\t\\n#=/]+'), '=', store(VALUE)));
const isKind = (text: string): boolean => /^(containers|partitions)$/i.test(text);

export const mdadmConf: Lens = records(
  line('dev|ice', many(gap, either(word('containers'), word('partitions'), node(label('name'), store(VALUE, isKind))))),
  line(
    'arr|ay',
    many(
      gap,
      either(
        node(store('[^ \\t\\n#=]+'), label('devicename')),
        ...pairs('auto bitmap container devices disks level member metadata name num-devices spare-group spares super-minor uuid'),
      ),
    ),
  ),
  line('mai|laddr', values),
  line('mailf|rom', values),
  line('pro|gram', values),
  line('cre|ate', many(gap, either(...pairs('auto owner group mode metadata symlinks')))),
  line('hom|ehost', values),
  line('au|to', many(gap, either(node(key('\\+|-'), store(VALUE)), word('homehost')))),
  line('pol|icy', policy),
  line('par|t-policy', policy),
);

const FILE_SYSTEMS =
  'adfs affs autofs cifs coda coherent cramfs debugfs devpts efs ext ext2 ext3 ext4 hfs hfsplus hpfs iso9660 jfs minix msdos ncpfs nfs nfs4 ' +
  'ntfs proc qnx4 ramfs reiserfs romfs squashfs smbfs sysv tmpfs ubifs udf ufs umsdos usbfs vfat xenix xfs xiafs';
const COMMANDS = 'raw net path core_collector kdump_post kdump_pre default ssh sshkey dracut_args fence_kdump_args';
const NUMBERS = ['force_rebuild', 'override_resettable', 'debug_mem_level', 'link_delay', 'disk_timeout'];
const LISTS = ['extra_bins', 'extra_modules', 'blacklist', 'fence_kdump_nodes'];
const kdumpEnd = either(comment, endOfLine);
const PARAMETER = '[A-Za-z0-9_.$-]+';
const ITEM = '[^,# \\n\\t]+';

export const kdump: Lens = records(
  node(keyword(`${COMMANDS} ${FILE_SYSTEMS}`.split(' ')), space, store('[^ \\t\\n#]([^\\n#]*[^ \\t\\n#])?'), kdumpEnd),
  node(keyword(NUMBERS), space, store('[0-9]+'), kdumpEnd),
  node(key('auto_reset_crashkernel'), space, store('yes|no'), kdumpEnd),
  ...LISTS.map((name) => node(counter(name), key(name), space, separated(node(sequence(name), store(ITEM)), space), kdumpEnd)),
  node(key('options'), space, node(key(PARAMETER), some(node(space, key(PARAMETER), maybe('=', store(ITEM))))), kdumpEnd),
);
