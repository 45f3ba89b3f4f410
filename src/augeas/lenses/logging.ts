/** logrotate.conf(5), and rsyslog.conf(5) without its sections of programs and hosts. */
import {
  all,
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
  quoted,
  separated,
  some,
  store,
} from '../lens.ts';
import { blankLine, blanks, comment, commentOrEnd, endOfLine, indent, lines, WORD } from './common-parts.ts';

const space = blanks();
const INTEGER = '[-+]?[0-9]+';
const TEXT = '[^,#= \\n\\t{}]+';
const sign = hidden('[ \\t]*=[ \\t]*|[ \\t]+', ' ');
const named = (name: string, pattern: string): Lens => node(space, label(name), store(pattern));
const items = some(node(space, key('[^/+,# \\n\\t{}]+')));

const NUMBERS = ['rotate', 'maxage', 'shredcycles', 'start'];
const SIZES = ['size', 'minsize', 'maxsize'];
const TEXTS = 'include olddir mail errors extension dateformat compresscmd uncompresscmd compressext'.split(' ');
const FLAGS = 'nocreate noolddir mailfirst maillast nomail dateyesterday'.split(' ');
const SWITCHES = 'missingok compress delaycompress sharedscripts dateext copy copytruncate shred'.split(' ');

const attribute = either(
  node(label('schedule'), store('hourly|daily|weekly|monthly|yearly')),
  node(keyword(NUMBERS), sign, store(INTEGER)),
  node(keyword(SIZES), sign, store(`${INTEGER}[kMG]?`)),
  node(keyword(TEXTS), sign, store(TEXT)),
  node(keyword(FLAGS)),
  ...SWITCHES.map((name) => node(label(name), store(`(no)?${name}`))),
  node(label('ifempty'), store('(not)?ifempty')),
  node(key('create'), maybe(named('mode', INTEGER), maybe(named('owner', TEXT), maybe(named('group', TEXT))))),
  node(key('su'), maybe(named('owner', TEXT), maybe(named('group', TEXT)))),
  node(key('tabooext'), maybe(space, store('\\+')), items),
  node(key('compressoptions'), items),
);

/** A line that is not this word alone. */
function lineBut(word: string): string {
  const ways = Array.from(word, (letter, k) => `${word.slice(0, k)}([^\\n${letter}${k === 0 ? ' \\t' : ''}][^\\n]*)?`);
  return `[ \\t]*(${[...ways, `${word}[ \\t]*[^ \\t\\n][^\\n]*`].join('|')})`;
}

const scriptLine = lineBut('endscript');
const script = node(
  key('(pre|post)rotate|(first|last)action'),
  endOfLine,
  maybe(store(`${scriptLine}(\\n${scriptLine})*`), '\n'),
  hidden('[ \\t]*endscript', '\tendscript'),
);
const entry = all(hidden('[ \\t]*', '\t'), either(attribute, script), endOfLine);
const rule = node(
  label('rule'),
  indent,
  separated(node(label('file'), quoted(['', '"', "'"], '"', store('/[^"\',#= \\n\\t{}]+'))), hidden('[ \\t\\n]+', ' ')),
  hidden('[ \\t\\n]*\\{([ \\t\\n]*\\n)?', '\n{\n'),
  maybe(either(entry, comment), many(either(blankLine, entry, comment))),
  hidden('[ \\t]*\\}', '}'),
  endOfLine,
);

export const logrotate: Lens = lines(comment, blankLine, all(attribute, endOfLine), rule);

const gap = hidden('[ \\t]+|[ \\t]*\\\\\\n[ \\t]*', '\t');
const gapOrNone = hidden('[ \\t]*|[ \\t]*\\\\\\n[ \\t]*', '');
const mark = (text: string): Lens => all(gapOrNone, text, gapOrNone);
const TOKEN = '[A-Za-z0-9]+|\\*';
const USER = '[A-Za-z0-9][A-Za-z0-9_.-]*';
const HOST = '[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9A-Fa-f:.]+\\]';

const list = (name: string, content: Part, between: Part): Lens => separated(node(label(name), content), between);
const listOrAll = (name: string): Lens => either(list(name, store(USER), mark(',')), node(label(name), store('\\*')));
const selector = all(
  list('facility', store(TOKEN), mark(',')),
  '.',
  maybe(node(label('comparison'), store('!|[<=>]+|![<=>]+'))),
  node(label('level'), store(TOKEN)),
);
const file = all(maybe(node(label('no_sync'), '-')), node(label('file'), store('/[^ \\t\\n;]+')));
const target = either(
  all(file, maybe(node(label('template'), ';', store(WORD)))),
  all(node(label('protocol'), store('@@?')), node(label('hostname'), store(HOST)), maybe(mark(':'), node(label('port'), store('[0-9]+')))),
  listOrAll('user'),
  all('|', node(label('program'), store('[^ \\t\\n][^\\n]+[^ \\t\\n]'))),
  node(label('discard'), '~'),
  all(':omusrmsg:', listOrAll('omusrmsg')),
  node('?', label('dynamic'), store(WORD)),
  all('|', space, node(label('pipe'), store('/[^ \\t\\n;]+'))),
);
const actions = list('action', target, hidden('[ \\t]*\\n&[ \\t]*', '\n& '));
const parameter = node(key('[A-Za-z.]+'), '=', '"', store('[^"]+'), '"');
const comma = all(',', hidden('[ \\t]*', ' '));

export const rsyslog: Lens = lines(
  blankLine,
  comment,
  node(label('entry'), list('selector', selector, mark(';')), gap, actions, endOfLine),
  node(key('$[A-Za-z0-9]+'), space, store('[^,# \\n\\t]([^#\\n]*[^,# \\n\\t])?'), commentOrEnd),
  node(
    key('action|global|input|module|parser|timezone|include'),
    '(',
    separated(parameter, hidden('[ \\t]+|[ \\t]*#.*\\n[ \\t]*', ' ')),
    ')',
    commentOrEnd,
  ),
  node(
    label('filter'),
    node(':', label('property'), store(WORD)),
    comma,
    node(label('operation'), store('[A-Za-z!-]+')),
    comma,
    node(label('value'), '"', store('[^\\n"]*'), '"'),
    space,
    actions,
    endOfLine,
  ),
);
