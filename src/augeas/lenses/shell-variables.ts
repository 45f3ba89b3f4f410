/** Files of shell variables, such as /etc/default/* and os-release(5), with what else of the shell is a line: source, export, alias and simple commands. */
import { all, counter, either, hidden, key, type Lens, label, many, maybe, node, type Part, separated, sequence, store } from '../lens.ts';
import { blanks, commentWith, INTEGER, indent } from './common-parts.ts';

const BLANK = '[ \\t]*#?[ \\t]*';
const NAME = '[A-Za-z0-9_][-A-Za-z0-9_]*(\\[[0-9A-Za-z_,]+\\])?';
const isStatement = (text: string): boolean => text === 'unset' || text === 'export';

/** A statement ends with its line or at a semicolon; the blank lines behind it belong to the end. */
const statementEnd = hidden(`[ \\t]*[;\\n](${BLANK}\\n+)*`, '\n');
const commentEnd = hidden('[ \\t]*\\n([ \\t]*(#[ \\t]*)?\\n)*', '\n');
const comment = commentWith('[ \\t]*#[ \\t]*', ' # ', commentEnd);
const end = either(commentWith('[ \\t]+#[ \\t]*', ' # ', commentEnd), statementEnd);

const CONTINUED = '[ \\t]*\\\\\\n[ \\t]*';
const BARE = '[^`;()\'"&|\\n\\\\# \\t]#*|\\\\.';
const DOUBLE = `"([^"\\\\]|\\\\.|${CONTINUED})*"`;
const SINGLE = "'[^']*'";
const CALL = '\\$\\([^()#\\n]*\\)|\\$\\(\\([^)#\\n]*\\)\\)';
/** One word of the shell, with its quotes. */
const WORD = `(${BARE}|${DOUBLE}|${SINGLE}|${CALL})+|\`[^\`\\n]+\`|\`\`[^\` \\t\\n;]+\`\``;
const WORDS = `(${WORD})((${CONTINUED}|[ \\t]+)(${WORD}))*`;

const space = blanks(' ');
const gap = hidden(`${CONTINUED}|[ \\t]+`, ' ');

/** Numbered names behind a word. */
const action = (word: string): Lens =>
  all(
    indent,
    word,
    space,
    label(`@${word}`),
    counter('var_action'),
    separated(node(sequence('var_action'), store(`${NAME}|\\$\\{!${NAME}[*@]\\}`, isStatement)), space),
  );

const array = all(
  hidden('\\([ \\t]*', '('),
  counter('values'),
  node(sequence('values'), store(WORD)),
  many(node(hidden('[ \\t\\n]+', ' '), sequence('values'), store(WORD))),
  hidden('[ \\t]*\\)', ')'),
);

const assignment = all(
  indent,
  maybe(node(key('export'), space)),
  key(NAME, isStatement),
  '=',
  either(store(`(${WORD}|\\([ \\t]*\\))?`), array),
);

const KEYWORDS = new Set(
  'exit shift return ulimit unset export source . if for select while until then else fi done case eval alias'.split(' '),
);

const command = all(
  indent,
  label('@command'),
  many(node(key(NAME, isStatement), '=', store(WORD), gap)),
  store('\\$?[-A-Za-z0-9_./]+', (text) => KEYWORDS.has(text)),
  maybe(node(gap, label('@arg'), store(WORDS))),
);

const statements: readonly Part[] = [
  all(indent, hidden('\\.|source', '.'), label('.source'), space, store('[^;=# \\t\\n]+')),
  assignment,
  action('unset'),
  action('export'),
  all(indent, label('@builtin'), store('ulimit|shift|exit'), maybe(gap, node(label('args'), store(WORDS)))),
  all(indent, label('@return'), 'return', maybe(space, store(INTEGER))),
  all(indent, 'eval', space, label('@eval'), store(WORD)),
  all(indent, 'alias', space, label('@alias'), store(NAME, isStatement), '=', node(label('value'), store(WORD))),
  command,
];

export const shellVariables: Lens = all(
  many(hidden(`${BLANK}\\n`, '\n')),
  many(either(comment, ...statements.map((statement) => node(statement, end)))),
);
