/** Names with values: resolv.conf(5), sysctl.conf(5), login.defs(5), modprobe.d(5), shell variables. */
import { all, either, hidden, key, type Lens, label, many, maybe, node, type Part, separated, some, store } from '../lens.ts';
import {
  blankLine,
  blankLineWith,
  blanks,
  comment,
  commentBehind,
  commentOrEnd,
  commentWith,
  endOfLine,
  field,
  INTEGER,
  indent,
  line,
  lines,
  records,
  WORD,
} from './common-parts.ts';

const space = blanks(' ');

const BYTE = '(25[0-5]?|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = `${BYTE}\\.${BYTE}\\.${BYTE}\\.${BYTE}`;
const GROUP = '[0-9A-Fa-f]{1,4}';
const IPV6 = [
  `(${GROUP}:){7}${GROUP}`,
  `(${GROUP}:){6}:${GROUP}`,
  ...[5, 4, 3, 2].map((before) => `(${GROUP}:){${before}}:(${GROUP}:){0,${6 - before}}${GROUP}`),
  `((${GROUP}:){6}|(${GROUP}:){0,5}:|::(${GROUP}:){0,5})([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])(\\.([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])){3}`,
  `${GROUP}::(${GROUP}:){0,5}${GROUP}`,
  `::(${GROUP}:){0,6}${GROUP}`,
  `(${GROUP}:){1,7}:`,
].join('|');
const ADDRESS = `${IPV4}|${IPV6}`;

const resolverComment = '[ \\t]*[;#][ \\t]*';
const resolverEnd = either(endOfLine, commentWith(resolverComment, ' # '));
const resolverLine = (word: string, ...parts: readonly Part[]): Lens => node(key(word), space, ...parts, resolverEnd);
const flags = (...words: readonly string[]): Lens => node(key(words.join('|')));

export const resolv: Lens = lines(
  blankLineWith('[ \\t]*[#;]?[ \\t]*'),
  commentWith(resolverComment, '# '),
  resolverLine('nameserver', store(ADDRESS)),
  resolverLine('domain', store(WORD)),
  resolverLine('search', separated(field('domain', WORD), space)),
  resolverLine('sortlist', separated(node(label('ipaddr'), store(ADDRESS), maybe(node(label('netmask'), '/', store(ADDRESS)))), space)),
  resolverLine(
    'options',
    separated(
      either(
        node(key('ndots|timeout|attempts'), ':', store(INTEGER)),
        flags(
          'debug',
          'rotate',
          'no-check-names',
          'inet6',
          'ip6-bytestring',
          'edns0',
          'single-request',
          'single-request-reopen',
          'no-tld-query',
          'use-vc',
          'no-reload',
          'trust-ad',
        ),
        node(maybe(node('no-', label('negate'))), key('ip6-dotint')),
      ),
      space,
    ),
  ),
  resolverLine('lookup', separated(flags('bind', 'file', 'yp'), space)),
  resolverLine('family', separated(flags('inet4', 'inet6'), space)),
);

/** A value up to a comment, perhaps in quotes, which belong to it. */
const SIMPLE_VALUE = '\'[^\\n\']*\'|"[^\\n"]*"|[^\\n \\t\'"#][^\\n#]*[^\\n \\t#]|[^\\n \\t\'"#]';

/** `name = value`; a name alone has no value, `name =` has an empty one and a node that stands for the sign. */
function variable(name: string): Lens {
  return node(
    indent,
    key(name),
    either(maybe(hidden('[ \\t]*=[ \\t]*', ' = '), store(SIMPLE_VALUE)), all(node(hidden('[ \\t]*=', '=')), store(''))),
    either(endOfLine, commentBehind),
  );
}

export const simpleVariables: Lens = records(variable(WORD));
export const sysctl: Lens = lines(blankLine, commentWith('[ \\t]*[#;][ \\t]*', '# '), variable('[*:/A-Za-z0-9_.-]+'));
export const loginDefs: Lens = records(line(key(WORD), space, store('[^ \\t\\n]+([ \\t]+[^ \\t\\n]+)*')));

const moduleGap = hidden('([ \\t]|\\\\\\n)+', ' ');
const MODULE = '[^# \\t\\n\\\\]+';
const NO_COLON = '[^:# \\t\\n\\\\]+';
const COMMAND = '([^# \\t\\n\\\\][^#\\n\\\\]*[ \\t]*\\\\[ \\t]*\\n[ \\t]*)*([^# \\t\\n\\\\][^#\\n\\\\]*[^# \\t\\n\\\\]|[^# \\t\\n\\\\])';
const moduleEnd = either(endOfLine, comment);
const dependencies = (name: string): Lens => maybe(moduleGap, `${name}:`, some(node(label(name), moduleGap, store(NO_COLON))));

export const modprobe: Lens = records(
  node(key('alias'), moduleGap, store(MODULE), moduleGap, field('modulename', MODULE), moduleEnd),
  node(
    key('options'),
    moduleGap,
    store(MODULE),
    many(moduleGap, node(key(WORD), maybe(hidden('[ \\t]*=[ \\t]*', '='), store('[^#" \\t\\n\\\\]+|"[^#"\\n\\\\]*"')))),
    commentOrEnd,
  ),
  node(key('install|remove'), moduleGap, store(MODULE), moduleGap, field('command', COMMAND), commentOrEnd),
  node(key('blacklist'), moduleGap, store(MODULE), moduleEnd),
  node(key('config'), moduleGap, store('binary_indexes|yes|no'), moduleEnd),
  node(key('softdep'), moduleGap, store(NO_COLON), dependencies('pre'), dependencies('post'), commentOrEnd),
);

export const dnsmasq: Lens = records(
  line(
    key(WORD, (text) => text === 'address' || text === 'server'),
    maybe('=', store('[^ \\t\\n]([^\\n]*[^ \\t\\n])?')),
  ),
  line(key('address'), '=', '/', some(node(label('domain'), store('[^/ \\t\\n]+'), '/')), store('[^/ \\t\\n]+')),
  line(
    key('server'),
    '=',
    maybe('/', some(node(label('domain'), store('[^/ \\t\\n]+'), '/'))),
    maybe(store('#|[^#@/ \\t\\n]+'), maybe(serverPort()), maybe(node('@', label('source'), store('[^#/ \\t\\n]+'), maybe(serverPort())))),
  ),
);

function serverPort(): Lens {
  return node('#', label('port'), store(INTEGER));
}
