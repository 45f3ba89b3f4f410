/** Settings of services: chrony.conf(5), iscsid.conf, postfix's main.cf, PostgreSQL's two files, anacrontab(5). */
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
  sequence,
  some,
  store,
} from '../lens.ts';
import { blankLine, blanks, commentBehind, commentWith, endOfLine, field, indent, lines, records, WORD } from './common-parts.ts';

const space = blanks();
const LABEL = '[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?';
const ADDRESS = `(${LABEL}\\.)*${LABEL}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*`;

const WHOLE = '[-+]?[0-9]+';
const DECIMAL = `${WHOLE}([.,][0-9]+)?`;
const NUMBER = `${DECIMAL}([eE]${WHOLE})?|[0-9a-fA-F]+`;
const TEXT = '[^ \\t\\r\\n!;#%]+';
const words = (text: string): string[] => text.split(' ');
const behind = (name: string, pattern: string): Lens => all(space, field(name, pattern));
const setting = (name: Part, ...content: readonly Part[]): Lens => node(indent, name, ...content, endOfLine);
/** Names, some of which have a value, in any order. */
const options = (names: string, flags: string, value: string): Lens =>
  many(space, either(node(keyword(words(flags))), node(keyword(words(names)), space, store(value))));

const SOURCE_OPTIONS =
  'asymmetry certset extfield filter key maxdelay maxdelayratio maxdelaydevratio minpoll maxpoll minsamples maxsamples maxsources mindelay ' +
  'offset polltarget port presend version';
const SOURCE_FLAGS = 'auto_offline iburst noselect offline prefer copy require trust xleave burst nts';
const CHRONY_VALUES =
  'acquisitionport authselectmode bindacqaddress bindaddress bindcmdaddress bindacqdevice bindcmddevice binddevice clientloglimit ' +
  'clockprecision combinelimit commandkey cmdport corrtimeratio driftfile dscp dumpdir hwclockfile include keyfile leapsecmode leapsectz ' +
  'linux_freq_scale linux_hz logbanner logchange logdir maxclockerror maxdistance maxdrift maxjitter maxsamples maxslewrate ' +
  'maxntsconnections maxupdateskew minsamples minsources nocerttimecheck ntsdumpdir ntsntpserver ntsport ntsprocesses ntsrefresh ntsrotate ' +
  'ntsservercert ntsserverkey ntstrustedcerts ntpsigndsocket pidfile ptpport port reselectdist rtcautotrim rtcdevice rtcfile ' +
  'sched_priority stratumweight user';
const CHRONY_FLAGS = 'dumponexit generatecommandkey lock_all manual noclientlog nosystemcert rtconutc rtcsync';
const CLOCK_OPTIONS = 'refid lock poll dpoll filter rate minsamples maxsamples offset delay precision maxdispersion stratum width';

export const chrony: Lens = lines(
  blankLine,
  commentWith('[ \\t]*[!;#%][ \\t]*', '# '),
  setting(keyword(['server', 'peer', 'pool']), space, store(ADDRESS), options(SOURCE_OPTIONS, SOURCE_FLAGS, NUMBER)),
  setting(
    keyword(words('allow deny cmdallow cmddeny')),
    maybe(node(space, key('all'))),
    maybe(
      space,
      store(TEXT, (text) => text === 'all'),
    ),
  ),
  setting(key('log'), some(node(space, keyword(words('measurements rawmeasurements refclocks rtc statistics tempcomp tracking'))))),
  setting(key('broadcast'), behind('interval', WHOLE), behind('address', ADDRESS), maybe(behind('port', WHOLE))),
  setting(key('(conf|source)dir'), some(node(label('directory'), space, store(TEXT)))),
  setting(key('fallbackdrift'), behind('min', WHOLE), behind('max', WHOLE)),
  setting(
    key('hwtimestamp'),
    behind('interface', TEXT),
    options('minpoll precision rxcomp txcomp minsamples maxsamples rxfilter', 'nocrossts', TEXT),
  ),
  setting(key('initstepslew'), behind('threshold', NUMBER), some(behind('address', ADDRESS))),
  setting(key('local'), options('stratum distance', 'orphan', TEXT)),
  setting(key('mailonchange'), behind('emailaddress', '[A-Za-z0-9_+.-]+@[A-Za-z0-9_.-]+'), behind('threshold', NUMBER)),
  setting(key('makestep'), behind('threshold', NUMBER), behind('limit', WHOLE)),
  setting(key('maxchange'), behind('threshold', NUMBER), behind('delay', WHOLE), behind('limit', WHOLE)),
  setting(key('(cmd|nts)?ratelimit'), many(node(space, keyword(words('interval burst leak')), space, store(TEXT)))),
  setting(
    key('refclock'),
    behind('driver', WORD),
    behind('parameter', TEXT),
    options(CLOCK_OPTIONS, 'noselect pps prefer require tai trust', TEXT),
  ),
  setting(key('smoothtime'), behind('maxfreq', NUMBER), behind('maxwander', NUMBER), maybe(space, node(key('leaponly')))),
  setting(
    key('tempcomp'),
    behind('sensorfile', '[^ \\t\\n]+'),
    behind('interval', NUMBER),
    either(all(behind('t0', NUMBER), behind('k0', NUMBER), behind('k1', NUMBER), behind('k2', NUMBER)), behind('pointfile', '[^ \\t\\n]+')),
  ),
  setting(keyword(words(CHRONY_VALUES)), space, store(TEXT)),
  setting(keyword(words(CHRONY_FLAGS))),
);

const LINE = '[^ \\t\\n]([^\\n]*[^ \\t\\n])?';

export const iscsid: Lens = lines(
  blankLine,
  node(indent, label('#comment'), hidden('[#;][ \\t]*', '# '), store(LINE), endOfLine),
  node(indent, key('[][A-Za-z0-9_.-]+'), hidden('[ \\t]*=[ \\t]*', ' = '), store(LINE), endOfLine),
);

const MAIL_LINE = '[^# \\t\\n]([^\\n]*[^# \\t\\n])?';

export const postfixMain: Lens = records(
  node(
    key(WORD),
    hidden('[ \\t]*=', ' ='),
    maybe(hidden('[ \\t]*(\\n[ \\t]+)?', ' '), store(`${MAIL_LINE}([ \\t]*\\n[ \\t]+${MAIL_LINE})*`)),
    endOfLine,
  ),
);

export const anacron: Lens = records(
  node(
    key('[A-Za-z1-9_-]+(\\[[0-9]+\\])?', (text) => text === 'entry'),
    hidden('[ \\t]*=[ \\t]*', '='),
    store('[^\\n]*[^ \\t\\n]'),
    endOfLine,
  ),
  node(
    label('entry'),
    indent,
    either(field('period', '[0-9]+'), node(label('period_name'), '@', store('monthly'))),
    behind('delay', '[0-9]+'),
    behind('job-identifier', WORD),
    space,
    store('[^ \\t\\r\\n]([^\\n]*[^ \\t\\r\\n])?'),
    endOfLine,
  ),
);

const NAME = '[^,# \\n\\t]+';
const tab = blanks('\t');
const list = (name: string): Lens => separated(field(name, NAME), ',');
const optionValue = (marks: readonly string[], fallback: string, pattern: string): Lens =>
  node(label('value'), '=', quoted(marks, fallback, store(pattern)));
const option = node(
  label('option'),
  store(WORD),
  maybe(either(optionValue(['', '"', "'"], '"', '[^"\' \\t\\n]+'), optionValue(['"', "'"], '"', '[^"\'\\n]*[ \\t]+[^"\'\\n]*'))),
);
const method = node(label('method'), store('[A-Za-z][A-Za-z0-9-]+'), many(tab, option));
const PEER = `[0-9a-fA-F:.]+(/[0-9]+|[ \\t]+[0-9.]+)|\\.?${LABEL}(\\.${LABEL})*`;

export const pgHba: Lens = records(
  node(
    sequence('entries'),
    either(
      all(field('type', 'local'), tab, list('database'), tab, list('user'), tab, method),
      all(field('type', 'host|hostssl|hostnossl'), tab, list('database'), tab, list('user'), tab, field('address', PEER), tab, method),
    ),
    endOfLine,
  ),
);

const BARE = '[A-Za-z][A-Za-z0-9_-]*';
const AMOUNT = `${DECIMAL}([kMG]?B|m?s|min|h|d)?`;
const isBare = new RegExp(`^(${BARE}|${AMOUNT})$`);
const assigned = (value: Lens): Lens =>
  node(indent, key(WORD), hidden('[ \\t]+|[ \\t]*=[ \\t]*', ' = '), value, either(commentBehind, endOfLine));

export const postgresql: Lens = records(
  assigned(quoted(['', "'"], "'", store(AMOUNT))),
  assigned(quoted(['', "'"], "'", store(BARE))),
  assigned(
    all(
      "'",
      store("([^#'\\n]|\\\\')*", (text) => isBare.test(text)),
      "'",
    ),
  ),
);
