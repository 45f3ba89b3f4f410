/** apt.conf(5), apt_preferences(5) and dpkg.cfg(5). */
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
  recursive,
  separated,
  sequence,
  some,
  store,
} from '../lens.ts';
import { blankLine, blanks, comment, commentWith, endOfLine, indent, LINE, lines, records } from './common-parts.ts';

const NAME = '[A-Za-z][A-Za-z-]*';
const space = blanks();
const blank = node(hidden('[ \\t]*#?[ \\t]*|[ \\t]*(//|/\\*[ \\t]*\\*/)?[ \\t]*', ''), '\n');
const lineComment = commentWith('[ \\t]*(//|#)[ \\t]*', '// ');
const commentLine = node(
  sequence('mline'),
  hidden('[ \\t\\r\\n]*', '\n'),
  store(LINE, (text) => text.includes('*/')),
);
const longComment = node(
  label('#mcomment'),
  hidden('[ \\t]*/\\*', '/*'),
  counter('mline'),
  separated(commentLine, endOfLine),
  hidden('[ \\t\\r\\n]*\\*/[ \\t]*\\r?\\n', '\n*/\n'),
);
const anyComment = either(lineComment, longComment);
const quotedValue = all('"', store('[^"\\n]+'), hidden('";?', '";'));
const newLine = hidden('[ \\t\\n]*', '\n');

const setting = recursive((itself) =>
  either(
    node(key(NAME), space, quotedValue),
    node(
      key(NAME),
      hidden('[ \\t\\n]*\\{', ' {'),
      many(either(all(newLine, itself), node(newLine, label('@elem'), quotedValue), all(hidden('([ \\t\\n]*\\n)?', ''), anyComment))),
      hidden('[ \\t\\n]*\\};?', '\n};'),
    ),
    node(key(NAME), '::', itself),
  ),
);

export const aptConf: Lens = lines(
  blank,
  node(indent, key('#include'), space, store('[^ \\t\\n]+'), endOfLine),
  node(indent, key('#clear'), space, separated(node(label('name'), store('[A-Za-z][A-Za-z:-]*')), space), endOfLine),
  anyComment,
  all(indent, setting, endOfLine),
);

const colon = hidden(':[ \\t]*', ': ');
const pinned = (name: string): Lens => all(store(name), node(label(name), space, store('[^ \\t\\r\\n]+')));
const release = node(key('[aclnov]'), '=', store('[^, \\r\\t\\n]([^,\\n]*[^, \\r\\t\\n])?'));
const preference = node(
  sequence('record'),
  some(
    either(
      node(key('Explanation|Package|Pin-Priority'), colon, store(LINE), endOfLine),
      node(
        key('Pin'),
        colon,
        either(all(store('release'), space, separated(release, hidden('[ \\t]*,[ \\t]*', ' , '))), pinned('version'), pinned('origin')),
        endOfLine,
      ),
      comment,
    ),
  ),
);

export const aptPreferences: Lens = all(many(blankLine), maybe(separated(preference, some(endOfLine)), many(blankLine)));

export const dpkg: Lens = records(node(key('[^,# \\n\\t/]+'), maybe(space, store('[^,# \\n\\t]+')), endOfLine));
