/** dhclient.conf(5). */
import { all, counter, either, hidden, key, keyword, type Lens, label, many, maybe, node, sequence, some, store } from '../lens.ts';
import { commentOrEnd, field, records } from './common-parts.ts';

const space = hidden('[ \\t\\n]+', ' ');
const end = all(hidden('[ \\t]*;', ';'), commentOrEnd);
const VALUE = '[^\\\\#,;{}" \\t\\n]+|"[^\\\\#"\\n]+"';
const NAME = '[A-Za-z0-9_.-]+(\\[[0-9]+\\])?';
const toSemicolon = store('[^ \\t\\n][^;\\n]+[^ \\t]|[^ \\t;\\n]+');
const words = (text: string): Lens => keyword(text.split(' '));

/** What an option is set to: a value, an expression, or how it is told by a number. */
const argument = all(
  node(
    key(NAME),
    space,
    either(
      store('[^=\\\\#,;{}" \\t\\n][^\\\\#,;{}" \\t\\n]*|"[^\\\\#"\\n]+"'),
      all(node(key('code'), space, store(NAME)), hidden('[ \\t]*=[ \\t]*', '='), node(label('value'), toSemicolon)),
      node(label('#eval'), '=', space, toSemicolon),
    ),
  ),
  end,
);
const numbered = node(
  words('media request require'),
  space,
  counter('stmt_array'),
  node(sequence('stmt_array'), store(VALUE)),
  many(node(hidden('[ \\t\\n]*,[ \\t\\n]*', ','), sequence('stmt_array'), store(VALUE))),
  end,
);
const sent = node(words('send option'), space, argument);
const modified = node(words('append prepend default supersede'), space, argument);
const number = (name: string): Lens => field(name, '[0-9]+');
const date = node(
  words('renew rebind expire'),
  all(space, number('weekday')),
  all(space, number('year')),
  all('/', number('month'), '/', number('day')),
  all(space, number('hour')),
  all(':', number('minute'), ':', number('second')),
  end,
);
const blockOption = node(
  keyword(['interface', 'script', 'bootp', 'fixed-address', 'filename', 'server-name', 'medium', 'vendor option space']),
  space,
  store(VALUE),
  end,
);

export const dhclient: Lens = records(
  node(words('timeout retry select-timeout reboot backoff-cutoff initial-interval do-forward-updates reject'), space, store(VALUE), end),
  modified,
  numbered,
  sent,
  node(
    words('interface lease alias'),
    maybe(space, store(VALUE)),
    hidden('[ \\t\\n]*\\{\\n', ' {\n'),
    some(space, either(numbered, sent, modified, blockOption, date)),
    hidden('[ \\t\\n]*\\}', ' }'),
    commentOrEnd,
  ),
);
