/** sshd_config(5) and ssh_config(5). Keywords are known in any case; the label is as the file has it. */
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
import { anyOf, blankLine, blanks, comment, commentWith, endOfDosLine, endOfLine, indent, LINE, lines } from './common-parts.ts';

const anyCase = { ignoreCase: true } as const;
const KEYWORD = '[A-Za-z0-9]+';
const word = (text: string): Lens => key(text, undefined, anyCase);

const sign = hidden('[ \\t=]+', ' ');
const QUOTES = ['', '"', "'"];

/** A list of words or quoted texts, numbered under the keyword's own name. */
function serverArray(name: string): Lens {
  return node(
    word(name),
    many(
      either(
        node(sign, sequence(name), quoted(QUOTES, '', store('[^"\' \\t\\n=]+'))),
        node(sign, sequence(name), quoted(['"', "'"], '"', store('[^"\'\\n]*[ \\t]+[^"\'\\n]*'))),
      ),
    ),
    endOfLine,
  );
}

function serverList(name: string): Lens {
  const item = store('[^, \\t\\n=]+');
  return node(word(name), sign, node(sequence(name), item), many(node(sequence(name), ',', item)), endOfLine);
}

const ARRAYS = ['AcceptEnv', 'AllowGroups', 'AllowUsers', 'DenyGroups', 'DenyUsers'];
const LISTS = [
  'MACs',
  'Ciphers',
  'KexAlgorithms',
  'HostKeyAlgorithms',
  'GSSAPIKexAlgorithms',
  'CASignatureAlgorithms',
  'PubkeyAcceptedKeyTypes',
];

const serverEntries = [
  ...ARRAYS.map(serverArray),
  ...LISTS.map(serverList),
  node(word('Subsystem'), sign, node(key('[A-Za-z0-9-]+'), sign, store('[^ \\t\\n=]([^\\n]*[^ \\t\\n=])?'), endOfLine)),
  node(
    key(KEYWORD, anyOf([...ARRAYS, ...LISTS, 'Match', 'Subsystem'], true)),
    sign,
    store('[^ \\t\\n=]+([ \\t=]+[^ \\t\\n=]+)*'),
    endOfLine,
  ),
];

/** What a Match asks for: words, or texts with a blank in quotes. */
function conditions(gap: Lens): Lens {
  return node(
    label('Condition'),
    some(
      either(
        node(gap, key(KEYWORD), gap, quoted(['', '"'], '"', store('[^"\' \\t\\r\\n=]+'))),
        node(gap, key(KEYWORD), gap, quoted(['"', "'"], '"', store('[^"\'\\t\\r\\n]* [^"\'\\t\\r\\n]*'))),
      ),
    ),
    gap === sign ? endOfLine : endOfDosLine,
  );
}

const serverSetting = either(all(hidden('[ \\t]*', '  '), either(...serverEntries, commentWith('#[ \\t]*', '# '))), blankLine);

export const sshd: Lens = all(
  lines(...serverEntries, comment, blankLine),
  many(node(word('Match'), conditions(sign), node(label('Settings'), some(serverSetting)))),
);

const gap = blanks(' ');
const gapOrEquals = hidden('[ \\t]+|[ \\t]*=[ \\t]*', ' ');
const clientWord = store('[^ \\t\\r\\n=][^ \\t\\r\\n]*');
const CLIENT_LISTS = ['MACs', 'Ciphers', 'HostKeyAlgorithms', 'KexAlgorithms', 'PubkeyAcceptedKeyTypes'];
const FORWARDS = ['RemoteForward', 'LocalForward'];

const clientEntries = [
  node(indent, word('SendEnv'), counter('array_entry'), many(node(gap, sequence('array_entry'), clientWord)), endOfDosLine),
  node(indent, word('ProxyCommand'), gap, store(LINE), endOfDosLine),
  ...FORWARDS.map((name) =>
    node(indent, word(name), gapOrEquals, node(key('[^ \\t\\r\\n/=][^ \\t\\r\\n/]*'), gap, store(LINE), endOfDosLine)),
  ),
  ...CLIENT_LISTS.map((name) =>
    node(
      indent,
      word(name),
      counter('commas_entry'),
      gapOrEquals,
      separated(node(sequence('commas_entry'), store('[^, \\t\\r\\n=][^, \\t\\r\\n]*')), ','),
      endOfDosLine,
    ),
  ),
  node(
    indent,
    word('GlobalKnownHostsFile'),
    counter('spaces_entry'),
    gapOrEquals,
    separated(node(sequence('spaces_entry'), clientWord), gap),
    endOfDosLine,
  ),
  node(
    indent,
    word('RekeyLimit'),
    gapOrEquals,
    node(label('amount'), clientWord),
    maybe(node(gap, label('duration'), clientWord)),
    endOfDosLine,
  ),
  node(
    indent,
    key(
      KEYWORD,
      anyOf(['SendEnv', 'Host', 'Match', 'ProxyCommand', 'GlobalKnownHostsFile', 'RekeyLimit', ...FORWARDS, ...CLIENT_LISTS], true),
    ),
    gapOrEquals,
    clientWord,
    endOfDosLine,
  ),
];

const clientLine = either(comment, blankLine, ...clientEntries);

export const ssh: Lens = all(
  many(clientLine),
  many(
    either(
      node(word('Host'), gap, store(LINE), endOfDosLine, many(clientLine)),
      node(word('Match'), conditions(gap), node(label('Settings'), some(clientLine))),
    ),
  ),
);
