/** Files with a record on each line: ld.so.conf, iproute2's tables, fuse.conf, ldap.conf, exports; and inputrc, whose conditions nest. */
import { all, either, hidden, key, type Lens, label, many, maybe, node, recursive, separated, store } from '../lens.ts';
import {
  blankLine,
  blanks,
  comment,
  commentOrEnd,
  endOfDosLine,
  endOfLine,
  field,
  INTEGER,
  LINE,
  lines,
  records,
  WORD,
} from './common-parts.ts';

const space = blanks();

export const ldSo: Lens = records(
  node(label('path'), store('[^# \\t\\n][^ \\t\\n]*'), endOfLine),
  node(key('include'), space, store('[^ \\t\\n]+'), endOfLine),
  node(key('hwcap'), space, field('bit', INTEGER), space, field('name', WORD), endOfLine),
);

export const ipRoute2: Lens = lines(
  node(hidden('[ \\t]*#?[ \\t]*\\n', '\n')),
  comment,
  node(key('0x[0-9a-fA-F]+|[0-9]+'), blanks('\t'), store('[a-zA-Z0-9/-]+'), commentOrEnd),
);

export const fuse: Lens = records(
  node(key('mount_max'), hidden('[ \\t]*=[ \\t]*', ' = '), store(INTEGER), endOfLine),
  node(key('user_allow_other'), endOfLine),
);

const VARIABLE = '[A-Za-z0-9._-]+(\\[[0-9]+\\])?';

export const spaceVariables: Lens = records(node(key(VARIABLE), space, store(LINE), endOfLine), node(key(VARIABLE), endOfDosLine));

const client = node(
  label('client'),
  store('[][a-zA-Z0-9.@*?/:-]+'),
  maybe('(', separated(node(label('option'), store('[^,)]*')), ','), ')'),
);

export const exportsTable: Lens = records(node(label('dir'), store('[^ \\t\\n#]*'), space, separated(client, space), endOfLine));

const binding = node(
  label('entry'),
  '"',
  store('[^" \\t\\n]+'),
  '":',
  space,
  node(label('mapping'), store('[A-Za-z0-9_."*/+,\\\\-]+')),
  endOfLine,
);
const variable = node(
  'set',
  space,
  key(WORD, (text) => text === 'entry'),
  space,
  store(WORD),
  endOfLine,
);
const condition = recursive((itself) => {
  const content = many(either(blankLine, comment, itself, variable, binding));
  return node(
    '$if',
    label('@if'),
    space,
    store(LINE),
    endOfLine,
    content,
    maybe(node('$else', label('@else'), endOfLine, content)),
    '$endif',
    endOfLine,
  );
});

export const inputrc: Lens = all(records(condition, variable, binding));
