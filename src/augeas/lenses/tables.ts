/** Tables of fixed columns and lists of lines: fstab(5), hosts(5), services(5) and their like. */
import {
  all,
  counter,
  either,
  hidden,
  key,
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
import {
  blankLine,
  blanks,
  comment,
  commentOrEnd,
  endOfLine,
  field,
  INTEGER,
  indent,
  LINE,
  line,
  lines,
  records,
  WORD,
} from './common-parts.ts';

const tab = blanks('\t');
const space = blanks(' ');
/** From the first to the last word of a line that is no comment. */
const UNCOMMENTED_LINE = '[^# \\t\\n]([^\\n]*[^ \\t\\n])?';

/** `a,b=c,…`: each a node of this name with its own value, and a node `value` below for what stands behind an equals sign. */
function options(name: string, word: string, setting: Lens): Lens {
  return separated(node(label(name), store(word), maybe(node(label('value'), '=', setting))), ',');
}

const mountOptions = (name: string): Lens => options(name, '[^,#= \\n\\t]+', maybe(store('[^,# \\n\\t]+')));

export const fstab: Lens = records(
  node(
    sequence('mntent'),
    indent,
    field('spec', '[^,# \\n\\t][^ \\n\\t]*'),
    tab,
    field('file', '[^# \\t\\n]+'),
    tab,
    mountOptions('vfstype'),
    maybe(tab, mountOptions('opt'), maybe(tab, field('dump', INTEGER), maybe(space, field('passno', INTEGER)))),
    commentOrEnd,
  ),
);

const NO_HASH = '[^# \\n\\t]+';

export const hosts: Lens = records(
  node(
    sequence('host'),
    indent,
    field('ipaddr', NO_HASH),
    tab,
    field('canonical', NO_HASH),
    many(node(label('alias'), space, store(NO_HASH))),
    commentOrEnd,
  ),
);

/** One name, or one blank line. */
export const hostname: Lens = either(line(label('hostname'), store(WORD)), blankLine);

export const simpleLines: Lens = records(node(sequence('line'), indent, store(UNCOMMENTED_LINE), endOfLine));
export const shells: Lens = records(node(sequence('shell'), store(NO_HASH), commentOrEnd));
export const securetty: Lens = records(node(sequence('securetty'), store(NO_HASH), commentOrEnd));
export const modules: Lens = records(line(key('[^#, \\n\\t/]+'), maybe(tab, store(UNCOMMENTED_LINE))));

export const crypttab: Lens = records(
  line(
    sequence('entry'),
    field('target', '[a-zA-Z0-9_?.+:!-]+'),
    tab,
    field('device', '[^ \\t\\n]+'),
    maybe(tab, field('password', '[^ \\t\\n]+'), maybe(tab, options('opt', WORD, store('[A-Za-z0-9/_.:-]+')))),
  ),
);

const SERVICE = '[a-zA-Z0-9_.+*/:-]+';

export const services: Lens = records(
  node(
    label('service-name'),
    store(SERVICE),
    space,
    either(field('port', INTEGER), all(field('start', INTEGER), '-', field('end', INTEGER))),
    '/',
    field('protocol', '[a-zA-Z]+'),
    many(space, field('alias', SERVICE)),
    commentOrEnd,
  ),
);

export const protocols: Lens = records(
  node(
    sequence('protocol'),
    field('protocol', NO_HASH),
    space,
    field('number', INTEGER),
    maybe(space, separated(field('alias', NO_HASH), space)),
    commentOrEnd,
  ),
);

const NET_BYTE = '(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)';
const NET_NUMBER = `${NET_BYTE}(\\.${NET_BYTE}(\\.${NET_BYTE}(\\.${NET_BYTE})?)?)?`;

export const networks: Lens = records(
  node(
    sequence('network'),
    counter('alias'),
    field('name', WORD),
    node(space, label('number'), store(NET_NUMBER)),
    maybe(node(space, label('aliases'), separated(node(sequence('alias'), store(WORD)), space))),
    either(endOfLine, comment),
  ),
);

const LIMITED =
  'core|data|fsize|memlock|nofile|rss|stack|cpu|nproc|as|maxlogins|maxsyslogins|priority|locks|sigpending|msgqueue|nice|rtprio|chroot';

export const limits: Lens = records(
  node(
    label('domain'),
    store('[%@]?[A-Za-z0-9_.:-]+|\\*'),
    space,
    field('type', 'soft|hard|-'),
    space,
    field('item', LIMITED),
    space,
    field('value', '[A-Za-z0-9_./-]+'),
    commentOrEnd,
  ),
);

export const inittab: Lens = records(
  node(
    key('[^/#:\\n]{1,4}'),
    ':',
    field('runlevels', '[^#:\\n]*'),
    ':',
    field('action', '[^#:\\n]*'),
    ':',
    field('process', '[^#\\n]*'),
    maybe(node(label('#comment'), hidden('#[ \\t]*', '# '), store('([^ \\t\\n]([^\\n]*[^ \\t\\n])?)?'))),
    '\n',
  ),
);

const aptOption = node(key('arch|trusted'), maybe(field('operation', '[+-]')), '=', store(WORD));

export const aptSources: Lens = records(
  node(
    indent,
    sequence('source'),
    field('type', '[^][# \\n\\t]+'),
    space,
    maybe(node(label('options'), '[', indent, separated(aptOption, space), indent, ']', space)),
    field('uri', '([a-z+]+:)?/[^] \\t]*|[a-z+]+:\\[[^]]+\\]/?'),
    space,
    field('distribution', '[^][# \\n\\t]+'),
    many(node(label('component'), space, store('[^][# \\n\\t]+'))),
    hidden('[ \\t]*(#[^\\n]*)?', ''),
    '\n',
  ),
);

/** A word in any case. */
const anyCase = (word: string): string => word.replace(/[a-z]/g, (c) => `[${c.toUpperCase()}${c}]`);
const STATUS = ['success', 'notfound', 'unavail', 'tryagain'].map(anyCase).join('|');
const ACTION = ['return', 'continue', 'merge'].map(anyCase).join('|');

const reaction = node(label('status'), maybe(node('!', label('negate'))), store(STATUS), '=', field('action', ACTION));

export const nsswitch: Lens = records(
  node(
    label('database'),
    store(WORD),
    hidden(':[ \\t]*', ': '),
    separated(either(field('service', WORD), all('[', node(label('reaction'), separated(reaction, space)), ']')), space),
    commentOrEnd,
  ),
);

const pamGap = hidden('([ \\t]|\\\\\\n)+', ' ');

const pamInclude = node(indent, '@', key('include'), pamGap, store('([^# \\t\\n\\\\]|\\\\.)+'), endOfLine);
const pamRecord = all(
  maybe(node(label('optional'), '-')),
  field('type', ['auth', 'session', 'account', 'password'].map(anyCase).join('|')),
  pamGap,
  field('control', '\\[[^]#\\n]*\\]|[a-zA-Z]+'),
  pamGap,
  field('module', '([^# \\t\\n\\\\]|\\\\.)+'),
  many(node(pamGap, label('argument'), store('\\[[^]#\\n]+\\]|[^[#\\n \\t\\\\][^#\\n \\t\\\\]*'))),
  commentOrEnd,
);

export const pam: Lens = records(pamInclude, node(sequence('record'), indent, pamRecord));
/** pam.conf(5): as the files of pam.d, with the service in front. */
export const pamConf: Lens = records(pamInclude, node(sequence('record'), indent, field('service', WORD), space, pamRecord));

const aliasName = '[^ \\t\\n#:|@]+|"[^"|\\n]*"';
const aliasTarget = '[^|", \\t\\n]+|\\|([^", \\t\\n]+|"[^"\\n]+")|"\\|[^"\\n]+"';

export const aliases: Lens = lines(
  comment,
  blankLine,
  all(
    node(
      sequence('alias'),
      field('name', aliasName),
      hidden('[ \\t]*:[ \\t]*', ':\t'),
      separated(field('value', aliasTarget), hidden('[ \\t]*,[ \\t]*(\\n[ \\t]+)?', ', ')),
    ),
    endOfLine,
  ),
);

const hex = '[0-9a-fA-F][0-9a-fA-F]?';

export const ethers: Lens = records(
  line(sequence('ether'), indent, field('mac', Array<string>(6).fill(hex).join(':')), tab, field('ip', NO_HASH)),
);

const cronNumber = '[0-9*][0-9/,*-]*';
const cronName = `(${cronNumber}|[A-Za-z]{3})(-(${cronNumber}|[A-Za-z]{3}))?`;
const cronTime = node(
  label('time'),
  field('minute', cronNumber),
  space,
  field('hour', cronNumber),
  space,
  field('dayofmonth', cronNumber),
  space,
  field('month', cronName),
  space,
  field('dayofweek', cronName),
);
const cronSchedule = node(label('schedule'), '@', store('reboot|yearly|annually|monthly|weekly|daily|midnight|hourly'));
const cronVariable = line(
  key('[A-Za-z1-9_-]+(\\[[0-9]+\\])?', (text) => text === 'entry'),
  '=',
  store('[^\\n]*[^ \\t\\n]'),
);

function cronTable(...owner: readonly Part[]): Lens {
  return records(
    cronVariable,
    line(label('entry'), indent, maybe(field('prefix', '-')), either(cronTime, cronSchedule), space, ...owner, store(LINE)),
  );
}

/** The tables of the system: with a user in each line. */
export const cron: Lens = cronTable(field('user', WORD), space);

const onOff = (words: string, values: string): Lens => line(key(words), space, store(values));
const wordList = (word: string): Lens => line(key(word), space, separated(node(sequence(word), store(WORD)), all(',', indent)));

export const hostConf: Lens = records(
  onOff('multi|nospoof|spoofalert|reorder', 'on|off'),
  onOff('spoof', 'on|off|warn|nowarn'),
  wordList('order'),
  line(key('trim'), space, separated(node(sequence('trim'), store(WORD)), hidden('[:;,]', ':'))),
);

const stanzaGap = hidden('[ \\t]+|[ \\t]*\\\\\\n[ \\t]*', ' ');
const stanzaRest = all(store('[^\\\\ \\t\\n]([^\\n]*[^\\\\ \\t\\n])?'), endOfLine);
const STANZA_WORD = '[^\\\\ \\t\\n]+';
const STANZAS = new Set(['source', 'source-directory', 'iface', 'auto', 'mapping', 'bond-slaves', 'bridge-ports']);
const stanzaOption = node(
  hidden('[ \\t]*', '   '),
  key('[a-z0-9_-]+', (text) => STANZAS.has(text) || text.startsWith('allow-')),
  stanzaGap,
  stanzaRest,
);
const words = (name: string): Lens => some(node(stanzaGap, sequence(name), store(STANZA_WORD)));
const listOption = (word: string): Lens =>
  node(hidden('[ \\t]*', '   '), hidden(word, word), label(word), counter(word), words(word), endOfLine);

export const interfaces: Lens = all(
  lines(comment, blankLine),
  many(
    either(
      node(
        indent,
        key('iface'),
        stanzaGap,
        store(STANZA_WORD),
        node(stanzaGap, label('family'), store(STANZA_WORD)),
        node(stanzaGap, label('method'), store(STANZA_WORD)),
        endOfLine,
        lines(stanzaOption, listOption('bond-slaves'), listOption('bridge-ports'), comment, blankLine),
      ),
      node(
        key('mapping'),
        stanzaGap,
        store(STANZA_WORD),
        endOfLine,
        either(stanzaOption, comment, blankLine),
        lines(stanzaOption, comment, blankLine),
      ),
      all(
        either(
          node(hidden('(allow-)?auto', 'auto'), label('auto'), counter('auto'), words('auto'), endOfLine),
          line(
            key('allow-[a-z-]+', (text) => text === 'allow-auto'),
            counter('allow_seq'),
            words('allow_seq'),
          ),
          node(key('source'), stanzaGap, stanzaRest),
          node(key('source-directory'), stanzaGap, stanzaRest),
        ),
        lines(comment, blankLine),
      ),
    ),
  ),
);
