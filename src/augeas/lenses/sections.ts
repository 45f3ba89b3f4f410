/** Files of sections: systemd units, yum repositories, puppet.conf, smb.conf, my.cnf and their like. */
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
  quoted,
  separated,
  sequence,
  some,
  store,
} from '../lens.ts';
import { blankLine, blankLineWith, blanks, commentWith, endOfDosLine, endOfLine, field, indent, LINE, lines } from './common-parts.ts';

const BLANK = '[ \\t]*[;#]?[ \\t]*';
const blank = blankLineWith(BLANK);
const NAME = '[A-Za-z][A-Za-z0-9._-]*';
const hashComment = commentWith('[ \\t]*#[ \\t]*', '#');
const anyComment = (fallback: string): Lens => commentWith('[ \\t]*[;#][ \\t]*', fallback);
const equals = all(indent, hidden('=', '='));
const equalsOrColon = all(indent, hidden('[=:]', '='));

/** `[name]`, the name being the label of the section. */
const title = all(
  '[',
  key('[^]\\r\\n/]+', (text) => text === '#comment'),
  ']',
  endOfDosLine,
);
/** `[name]`, the name being the value of the section's node. */
const titleIn = (name: string): Lens => all(label(name), '[', store('[^]\\r\\n]+'), ']', endOfDosLine);

const section = (head: Lens, ...content: readonly Lens[]): Lens => node(head, lines(...content));

/** Settings whose value may stand in double quotes, and has to where it contains a sign of a comment. */
function settings(name: Lens, sign: Lens, comment: Lens): Lens[] {
  const end = either(comment, endOfDosLine);
  return [
    node(name, sign, maybe(indent, quoted(['', '"'], '', store('[^" \\t\\r\\n;#]([^\\r\\n;#]*[^" \\t\\r\\n;#])?'))), end),
    node(name, sign, indent, quoted(['"'], '"', store('[^"\\r\\n]*[;#]+[^"\\r\\n]*')), end),
    comment,
  ];
}

export const puppet: Lens = all(
  lines(hashComment, blank),
  many(section(all(indent, title), ...settings(all(indent, key(NAME)), equals, hashComment), blank)),
);

export const sssd: Lens = all(
  lines(anyComment('#'), blank),
  many(section(all(indent, titleIn('target')), ...settings(all(indent, key(NAME)), equals, anyComment('#')), blank)),
);

const sambaComment = anyComment(';');

export const samba: Lens = all(
  lines(sambaComment, blank),
  many(
    section(
      titleIn('target'),
      node(
        hidden('[ \\t]*', '   '),
        key('[A-Za-z0-9_.-][A-Za-z0-9 _.:*-]*[A-Za-z0-9_.*-]'),
        hidden('[ \\t]*=', ' ='),
        maybe(hidden('[ \\t]*', ' '), store('[^;# \\t\\r\\n]([^;#\\r\\n]*[^;# \\t\\r\\n])?')),
        either(sambaComment, endOfDosLine),
      ),
      sambaComment,
      blank,
    ),
  ),
);

const mysqlComment = anyComment('#');
const mysqlEnd = either(mysqlComment, endOfDosLine);
const mysqlHead = all(indent, key(NAME));

export const mysql: Lens = all(
  lines(mysqlComment, blank),
  many(
    either(
      section(
        all(indent, titleIn('target')),
        node(mysqlHead, equalsOrColon, indent, quoted(['', '"'], '', store('[^#;" \\t\\r\\n]+([ \\t]+[^#;" \\t\\r\\n]+)*')), mysqlEnd),
        node(mysqlHead, equalsOrColon, indent, quoted(['"'], '"', store('[^"\\r\\n]*[#;]+[^"\\r\\n]*')), mysqlEnd),
        node(mysqlHead, store(''), mysqlEnd),
        mysqlComment,
        blank,
      ),
      all(node(key('!include(dir)?'), blanks(), store('[^ \\t\\n]+'), endOfLine), lines(mysqlComment, blank)),
    ),
  ),
);

export const networkManager: Lens = all(
  lines(hashComment, blank),
  many(
    section(
      all(indent, title),
      node(key('[A-Za-z][A-Za-z0-9:._() \\t-]+'), '=', maybe(indent, store(LINE)), endOfLine),
      hashComment,
      blank,
    ),
  ),
);

const LISTS = ['baseurl', 'gpgkey', 'exclude'];
const listGap = hidden('[ \\t]*(,[ \\t]*|\\r?\\n[ \\t]+)|[ \\t]+', '\n\t');
const listItem = store('[^# \\t\\r\\n,]([^ \\t\\r\\n,]*[^# \\t\\r\\n,])?');

/** A list over several lines: its first item is the node of the name, so is each further one. */
function yumList(name: string): Lens {
  return all(node(key(name), equals, indent, listItem), maybe(listGap, separated(node(label(name), listItem), listGap)), endOfDosLine);
}

const yumSettings = [
  ...settings(
    key(NAME, (text) => LISTS.includes(text)),
    equals,
    hashComment,
  ),
  blankLine,
];

/** Each of the three lists at most once, in any order. */
function yumLists(left: readonly string[]): Lens {
  const ways = left.map((name) =>
    all(yumList(name), lines(...yumSettings), ...(left.length > 1 ? [yumLists(left.filter((other) => other !== name))] : [])),
  );
  return maybe(either(...ways));
}

export const yum: Lens = all(lines(blankLine, hashComment), many(node(title, lines(...yumSettings), yumLists(LISTS))));

const unitComment = anyComment('#');
const unitEnd = either(hashComment, endOfLine);
const unitGap = hidden('[ \\t]+|[ \\t]*\\\\[ \\t]*\\n[ \\t]*', ' ');
const unitWord = store('[^# \\t\\n]*[^# \\t\\n\\\\]');
const unitEntry = (name: Lens, content: Lens): Lens => node(name, equals, content, unitEnd);
const DESCRIPTION = '[^# \\t\\n\\\\]([^#\\n\\\\]*[^# \\t\\n\\\\])?';
const VARIABLE = '[A-Za-z0-9_]+(\\[[0-9]+\\])?';
const environment = (content: Lens): Lens => all(key(VARIABLE), '=', content);
const isCommand = (text: string): boolean => text.startsWith('Exec') && /^Exec[A-Za-z][A-Za-z0-9._-]+$/.test(text);

export const systemd: Lens = (() => {
  const include = node(key('\\.include'), blanks(), unitWord, unitEnd);
  const entries = [
    unitEntry(key('Description'), maybe(node(label('value'), indent, store(`${DESCRIPTION}(\\\\\\n${DESCRIPTION})*`)))),
    unitEntry(
      key(NAME.replace('*', '+'), (text) => text === 'Description' || text === 'Environment' || isCommand(text)),
      maybe(indent, separated(node(label('value'), unitWord), unitGap)),
    ),
    unitEntry(
      key('Exec[A-Za-z][A-Za-z0-9._-]+'),
      maybe(
        maybe(node(label('ignoreexit'), '-')),
        maybe(node(label('arg0'), '@')),
        indent,
        field('command', '[^#@ \\t\\n\\\\-][^#@ \\t\\n\\\\-][^# \\t\\n\\\\]*'),
        maybe(node(counter('args'), label('arguments'), some(unitGap, node(sequence('args'), unitWord)))),
      ),
    ),
    unitEntry(
      key('Environment'),
      all(
        indent,
        separated(
          either(
            node(quoted(['', '"', "'"], '"', environment(maybe(store('[^#\'" \\t\\n]*[^#\'" \\t\\n\\\\]'))))),
            node(environment(store('"[^#"\\t\\n]*"'))),
            node(environment(store("'[^#'\\t\\n]*'"))),
            node(quoted(['"', "'"], '"', environment(store('[^#"\'\\n]*[ \\t]+[^#"\'\\n]*')))),
          ),
          unitGap,
        ),
      ),
    ),
  ];
  return all(lines(unitComment, include, blank), many(section(title, ...entries, unitComment, include, blank)));
})();

export const avahi: Lens = all(
  lines(hashComment, blank),
  many(section(all(indent, title), ...settings(all(indent, key(NAME)), equals, hashComment), blank)),
);

const semanageEntry = [
  node(
    key('ignoredirs'),
    equals,
    indent,
    counter('elem'),
    separated(node(sequence('elem'), store('[^ \\t\\n;#]+')), ';'),
    either(hashComment, endOfDosLine),
  ),
  ...settings(
    key(NAME, (text) => text === 'ignoredirs'),
    equals,
    hashComment,
  ),
  blank,
];
const semanageGroup = all(
  label('@group'),
  '[',
  store('[^]\\r\\n/]+', (text) => text === '#comment' || text === 'end'),
  ']',
  endOfDosLine,
);

export const semanage: Lens = lines(...semanageEntry, node(semanageGroup, some(either(...semanageEntry)), '[end]', endOfLine));
