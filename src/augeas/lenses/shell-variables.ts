/** Files of shell variables, such as /etc/default/* and os-release(5), and of shell code, such as /etc/profile: statements of sh(1), nested ones too. */
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
import { blankLine, blanks, commentWith, INTEGER, indent } from './common-parts.ts';

const BLANK = '[ \\t]*#?[ \\t]*';
const NAME = '[A-Za-z0-9_][-A-Za-z0-9_]*(\\[[0-9A-Za-z_,]+\\])?';
const isStatement = (text: string): boolean => text === 'unset' || text === 'export';

/** A statement ends with its line or at a semicolon; the blank lines behind it belong to the end. */
const statementEnd = hidden(`[ \\t]*[;\\n](${BLANK}\\n+)*`, '\n');
const commentEnd = hidden('[ \\t]*\\n([ \\t]*(#[ \\t]*)?\\n)*', '\n');
const comment = commentWith('[ \\t]*#[ \\t]*', ' # ', commentEnd);
const commentBehind = commentWith('[ \\t]+#[ \\t]*', ' # ', commentEnd);
const end = either(commentBehind, statementEnd);

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

const RESERVED = new Set(
  'exit shift return ulimit unset export source . if for select while until then else fi done case eval alias'.split(' '),
);

/** What follows an operator between commands. */
const after = (operator: string, name: string, ...content: readonly Lens[]): Lens =>
  node(
    hidden(`(${CONTINUED}|[ \\t\\n]*)${operator.replaceAll('|', '\\|')}(${CONTINUED}|[ \\t\\n]*)`, ` ${operator} `),
    label(`@${name}`),
    ...content,
  );
/** What several forms have in common stands once: the automaton would be ten times as large. */
const shared = (lens: Lens): Lens => recursive(() => lens);
const words = shared(store(WORDS));
const further = many(either(after('&&', 'and', words), after('||', 'or', words)));

const test = (opening: string, closing: string): Lens =>
  all(node(label('type'), store(opening.replaceAll('[', '\\['))), space, words, space, closing, further);

/** Statements that are no commands. */
const simple: readonly Lens[] = [
  all(indent, hidden('\\.|source', '.'), label('.source'), space, store('[^;=# \\t\\n]+')),
  assignment,
  action('unset'),
  action('export'),
  all(indent, label('@builtin'), store('ulimit|shift|exit'), maybe(node(gap, label('args'), store(WORDS)))),
  all(indent, label('@return'), 'return', maybe(space, store(INTEGER))),
  all(indent, label('@condition'), either(test('[', ']'), test('[[', ']]'))),
  all(indent, 'eval', space, label('@eval'), store(WORD)),
  all(indent, 'alias', space, label('@alias'), store(NAME, isStatement), '=', node(label('value'), store(WORD))),
];
const ended = (statement: Lens): Lens => node(statement, end);

const command = recursive((itself) => {
  const next = shared(either(...simple.map((statement) => node(statement)), node(itself), ...simple.map(ended), ended(itself)));
  return all(
    indent,
    label('@command'),
    many(node(key(NAME, isStatement), '=', store(WORD), gap)),
    store('\\$?[-A-Za-z0-9_./]+', (text) => RESERVED.has(text)),
    maybe(node(gap, label('@arg'), store(WORDS))),
    maybe(either(after('|', 'pipe', either(node(itself), ended(itself))), after('&&', 'and', next), after('||', 'or', next))),
  );
});

const statements: readonly Lens[] = [...simple, command];
const BEHIND_END = `(${BLANK}\\n+)*`;
/** What follows a word such as `then`: a blank will do. */
const wordEnd = hidden(`([ \\t]+|[ \\t]*[;\\n])${BEHIND_END}`, '\n');
const braceEnd = hidden('[ \\t\\n]+', '\n');
const keywordAs = (word: string, name: string): Lens => all(indent, word, label(name));

/** Conditions, loops, functions and groups: what contains statements. */
const compound = recursive((itself) => {
  const inner = shared(either(comment, ...statements.map(ended), itself));
  const body = some(inner);
  const head = (word: string, then: string): Lens =>
    all(keywordAs(word, `@${word}`), space, words, further, statementEnd, indent, then, wordEnd);
  const loop = (word: string): Lens => node(head(word, 'do'), body, indent, 'done', end);
  const functionBetween = (opening: string, closing: string): Lens =>
    node(
      indent,
      label('@function'),
      hidden('(function[ \\t]+)?', ''),
      store('[A-Za-z0-9_.-]+'),
      hidden('[ \\t]*\\(\\)', '()'),
      either(commentBehind, braceEnd),
      opening,
      braceEnd,
      body,
      indent,
      closing,
      wordEnd,
    );
  const pattern = node(label('@pattern'), words, hidden('[ \\t]*', ''));
  const choice = node(
    label('@case_entry'),
    indent,
    separated(pattern, all('|', hidden('[ \\t]*', ''))),
    ')',
    wordEnd,
    many(inner),
    maybe(either(...statements.map((statement) => node(statement)))),
    indent,
    ';;',
    wordEnd,
  );
  return either(
    node(
      head('if', 'then'),
      body,
      many(node(head('elif', 'then'), body)),
      maybe(node(keywordAs('else', '@else'), wordEnd, body)),
      indent,
      'fi',
      end,
    ),
    ...['for', 'select', 'while', 'until'].map(loop),
    node(
      keywordAs('case', '@case'),
      space,
      store(`(${BARE})+|"(${BARE})+"`),
      hidden('[ \\t\\n]+', ' '),
      'in',
      wordEnd,
      many(many(blankLine), many(comment), choice),
      many(blankLine),
      many(comment),
      indent,
      'esac',
      end,
    ),
    functionBetween('{', '}'),
    functionBetween('(', ')'),
    node(indent, label('@subshell'), '{', braceEnd, body, indent, '}', wordEnd),
  );
});

export const shellVariables: Lens = all(many(hidden(`${BLANK}\\n`, '\n')), many(either(comment, ...statements.map(ended), compound)));
