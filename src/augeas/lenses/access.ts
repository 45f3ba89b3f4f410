/** Who may come in: access.conf(5), and hosts.allow and hosts.deny as hosts_access(5) and hosts_options(5) have them. */
import { all, either, hidden, key, type Lens, label, many, maybe, node, separated, sequence, store } from '../lens.ts';
import { blanks, endOfLine, records, WORD } from './common-parts.ts';

const space = blanks();
const isExcept = (text: string): boolean => text.toLowerCase() === 'except';
const but = (list: Lens): Lens => maybe(node(label('except'), space, hidden('[Ee][Xx][Cc][Ee][Pp][Tt]', 'EXCEPT'), space, list));

const ACCOUNT = '[A-Za-z0-9_.\\\\-]+';
const accounts = separated(
  either(
    node(label('user'), either(store(ACCOUNT, isExcept), all(store(WORD), '@', node(label('host'), store(WORD))))),
    node(label('group'), '(', store(ACCOUNT), ')'),
    node(label('netgroup'), '@', store(ACCOUNT, isExcept), maybe(node(label('nisdomain'), '@@', store(WORD)))),
  ),
  space,
);
const origins = separated(node(label('origin'), store('[^ \\t\\r\\n]+', isExcept)), space);
const accessColon = hidden('[ \\t]*:[ \\t]*', ' : ');

export const access: Lens = records(
  node(label('access'), store('[+-]'), accessColon, accounts, but(accounts), accessColon, origins, but(origins), endOfLine),
);

const CONTINUED = '(\\\\[ \\t]*\\n[ \\t]+)?';
const colon = hidden(`[ \\t]*${CONTINUED}:[ \\t]*${CONTINUED}`, ': ');
const comma = hidden('([ \\t]|\\\\\\n)*,([ \\t]|\\\\\\n)*| +', ', ');
const name = store(WORD, isExcept);
const services = separated(node(label('process'), name, maybe(node(label('host'), '@', name))), comma);
const clients = separated(
  either(
    node(
      label('client'),
      maybe(node(label('user'), name, '@')),
      store('[A-Za-z0-9_.@?*-][A-Za-z0-9_.?*-]*|\\[[A-Za-z0-9:?*%]+\\]', isExcept),
      maybe(node('/', label('netmask'), store(WORD))),
    ),
    node(label('file'), store('/[^ \\t\\n,:]+')),
  ),
  comma,
);
const OPTION = 'severity|spawn|twist|keepalive|linger|rfc931|banners|nice|setenv|umask|user|[Aa][Ll][Ll][Oo][Ww]|[Dd][Ee][Nn][Yy]';
const isOption = (text: string): boolean => new RegExp(`^(${OPTION})`).test(text);
const option = node(
  key(OPTION),
  maybe(
    hidden('[ \\t]*=[ \\t]*|[ \\t]+', ' '),
    store('[^ \\t\\n:=][^\\n:]*((\\\\:|\\\\[ \\t]*\\n[ \\t]+)[^\\n:]*)*[^ \\\\\\t\\n:]|[^ \\t\\n:\\\\]'),
  ),
);
const command = node(label('shell_command'), store('[^ \\t\\n:][^\\n]*[^ \\t\\n]|[^ \\t\\n:\\\\]', isOption));

export const hostsAccess: Lens = records(
  node(
    sequence('line'),
    services,
    but(services),
    colon,
    clients,
    but(clients),
    either(all(colon, option, many(colon, option)), maybe(colon, command)),
    endOfLine,
  ),
);
