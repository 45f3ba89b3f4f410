/** sudoers(5): aliases, defaults and who may run what. */
import { all, either, hidden, key, keyword, type Lens, label, many, maybe, node, type Part, separated, some, store } from '../lens.ts';
import { blanks, commentWith, endOfLine, indent, LINE, lines } from './common-parts.ts';

const CONTINUED = '[ \\t]*\\\\\\n[ \\t]*';
const gap = hidden(`${CONTINUED}|[ \\t]+`, ' ');
const gapOrNone = hidden(`${CONTINUED}|[ \\t]*`, ' ');
const sign = (text: string): Lens => hidden(`(${CONTINUED}|[ \\t]*)${text}(${CONTINUED}|[ \\t]*)`, ` ${text} `);
const comma = sign(',');
const colon = sign(':');
const equals = sign('=');
const end = either(commentWith('[ \\t]+#[ \\t]*', ' # '), hidden('[ \\t]+#\\n|[ \\t]*\\n', '\n'));

/** What no name contains unescaped. */
const SPECIAL = ',=:#() \\t\\n\\\\';
const NAME = `[^${SPECIAL}]([^,=:#()\\n]*[^${SPECIAL}])?`;
const COMMAND = `[/a-z]([^,:#()\\n\\\\]|\\\\[=:,\\\\])*[^${SPECIAL}]|[^${SPECIAL}]|[A-Za-z0-9_.-]+`;
/** A user, a %group or +netgroup, perhaps of a domain with two backslashes, or an alias. */
const USER = '([A-Z]([-A-Z0-9]|\\\\[ \\t])*\\\\\\\\)?[%+@a-z]([-A-Za-z0-9._+]|\\\\[ \\t]|\\\\\\\\[A-Za-z0-9])*|[A-Z_]+';
const TAG = '(NO)?(PASSWD|EXEC|SETENV)';
const isTag = (text: string): boolean => new RegExp(`^${TAG}$`).test(text);
const isInclude = (text: string): boolean => text === '@include' || text === '@includedir';

/** Two signs of negation are none. */
const doubleNegation = hidden('(!!)*', '');
const negation = node('!', label('negate'));

const list = (name: string, ...content: readonly Part[]): Lens => separated(node(label(name), ...content), comma);
const names = (name: string): Lens => list(name, store(NAME));
const command: Lens = all(doubleNegation, maybe(negation), store(COMMAND, isTag));

/** `User_Alias NAME = list : NAME = list`. */
function alias(word: string, items: Lens): Lens {
  const one = node(label('alias'), node(label('name'), store('[A-Z][A-Z0-9_]*')), equals, items);
  return node(indent, key(word), gap, separated(one, colon), end);
}

const FLAGS = (
  'always_set_home authenticate env_editor env_reset fqdn ignore_dot ignore_local_sudoers insults log_host log_year long_otp_prompt ' +
  'mail_always mail_badpass mail_no_host mail_no_perms mail_no_user noexec path_info passprompt_override preserve_groups requiretty ' +
  'root_sudo rootpw runaspw set_home set_logname setenv shell_noargs stay_setuid targetpw tty_tickets visiblepw closefrom_override ' +
  'compress_io fast_glob log_input log_output pwfeedback umask_override use_pty match_group_by_gid always_query_group_plugin'
).split(' ');
const NUMBERS = ['loglinelen', 'passwd_timeout', 'timestamp_timeout', 'umask'];
const TEXTS =
  'badpass_message editor mailsub noexec_file passprompt runas_default syslog_badpri syslog_goodpri timestampdir timestampowner secure_path'.split(
    ' ',
  );
const SWITCHED_TEXTS = 'exempt_group lecture lecture_file listpw logfile mailerflags mailerpath mailto mailfrom syslog verifypw'.split(' ');
const LISTS = ['env_check', 'env_delete', 'env_keep'];

const quote = hidden('"?', '');
const number = all(equals, quote, store('-?[0-9]+'), quote);
const text = all(equals, store('[^",=#() \\t\\n\\\\]+|"[^",=#()\\n\\\\]+"'));
const word = store('[^",# \\t\\n\\\\]+');
const variable = node(label('var'), word);
const variables = all(
  gapOrNone,
  maybe(either(node('+', label('append')), node('-', label('remove')))),
  '=',
  gapOrNone,
  either(node(label('var'), quote, word, quote), all('"', variable, some(gap, variable), '"')),
);

/** A parameter that `!` turns off, or that has a value. */
const switched = (words: readonly string[], content: Lens): Lens =>
  node(doubleNegation, either(all(negation, keyword(words)), all(keyword(words), content)));

const parameter = either(
  node(doubleNegation, maybe(negation), keyword(FLAGS)),
  node(key('passwd_tries'), number),
  switched(NUMBERS, number),
  node(keyword(TEXTS), text),
  switched(SWITCHED_TEXTS, text),
  switched(LISTS, variables),
);

const defaults = node(
  indent,
  key('Defaults'),
  maybe(node(label('type'), store('[@:!>][^ \\t\\n\\\\]+'))),
  gap,
  separated(parameter, comma),
  end,
);

const group = all(':', indent, names('runas_group'));
const runAs = all('(', either(names('runas_user'), group, all(names('runas_user'), indent, group)), ')', gapOrNone);
const commands = list('command', maybe(runAs), many(node(label('tag'), store(TAG), colon)), command);
const specification = node(
  label('spec'),
  indent,
  list('user', store(USER, isInclude)),
  gap,
  separated(node(label('host_group'), list('host', store(`[^${SPECIAL}]+`)), equals, commands), colon),
  end,
);

export const sudoers: Lens = lines(
  node(hidden('[ \\t]*#?[ \\t]*\\n', '\n')),
  node(
    label('#comment'),
    hidden('[ \\t]*#[ \\t]*', '# '),
    store(LINE.replaceAll('\\r', ''), (comment) => comment.startsWith('include')),
    endOfLine,
  ),
  node(key('[#@]include(dir)?'), blanks(), store('[^ \\t\\n]+'), endOfLine),
  alias('User_Alias', names('user')),
  alias('Runas_Alias', names('runas_user')),
  alias('Host_Alias', names('host')),
  alias('Cmnd_Alias', list('command', command)),
  defaults,
  specification,
);
