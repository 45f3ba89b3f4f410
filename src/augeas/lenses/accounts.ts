/** Users and groups: passwd(5), group(5), shadow(5), gshadow(5), with the NIS entries of nsswitch's compat mode. */
import { all, key, type Lens, label, maybe, node, separated, store } from '../lens.ts';
import { endOfLine, field, INTEGER, LINE, line, records, WORD } from './common-parts.ts';

const USER = '[_.A-Za-z0-9][-_.A-Za-z0-9]*\\$?';
const NO_COLON = '[^:\\r\\n]+';
const HASH = '[A-Za-z0-9_.!*-]*';

/** A field whose node is there also when it is empty, without a value then. */
function nullable(name: string, pattern: string): Lens {
  return node(label(name), maybe(store(pattern)));
}

/** A field whose node is there also when it is empty, with an empty value then. */
function optional(name: string, pattern: string): Lens {
  return field(name, `(${pattern})?`);
}

/** Fields between colons. */
function colons(...fields: readonly Lens[]): Lens {
  return all(...fields.flatMap((part, i) => (i === 0 ? [part] : [':', part])));
}

const passwdFields = colons(
  nullable('password', NO_COLON),
  field('uid', INTEGER),
  field('gid', INTEGER),
  nullable('name', NO_COLON),
  nullable('home', NO_COLON),
  nullable('shell', LINE),
);
/** What a NIS entry overrides; a field that is empty has no node. */
const nisFields = colons(
  maybe(field('password', NO_COLON)),
  maybe(field('uid', INTEGER)),
  maybe(field('gid', INTEGER)),
  maybe(field('name', NO_COLON)),
  maybe(field('home', NO_COLON)),
  maybe(field('shell', LINE)),
);
const nisDefaults = colons(
  field('password', '[^:\\r\\n]*'),
  optional('uid', INTEGER),
  optional('gid', INTEGER),
  nullable('name', NO_COLON),
  nullable('home', NO_COLON),
  nullable('shell', LINE),
);

function nis(sign: string, name: string): Lens {
  return line(sign, label(name), store(USER), ':', nisFields);
}

/** The plus sign alone takes in all of NIS. */
function everything(fields: Lens): Lens {
  return node('+', label('@nisdefault'), maybe(':', fields), endOfLine);
}

export const passwd: Lens = records(
  line(key(USER), ':', passwdFields),
  nis('+@', '@nis'),
  everything(nisDefaults),
  nis('+', '@+nisuser'),
  nis('-', '@-nisuser'),
);

const members = maybe(separated(field('user', WORD), ','));

export const group: Lens = records(
  line(key(WORD), ':', field('password', HASH), ':', field('gid', INTEGER), ':', members),
  everything(all(field('password', HASH), ':', optional('gid', INTEGER), ':', members)),
);

const ages = ['lastchange_date', 'minage_days', 'maxage_days', 'warn_days', 'inactive_days', 'expire_date', 'flag'].map((name) =>
  optional(name, INTEGER),
);

export const shadow: Lens = records(
  line(key(WORD), ':', colons(nullable('password', NO_COLON), ...ages)),
  everything(colons(optional('password', WORD), ...ages)),
);

export const gshadow: Lens = records(
  line(
    key(WORD),
    ':',
    field('password', HASH),
    ':',
    maybe(separated(field('admin', WORD), ',')),
    ':',
    maybe(separated(field('member', WORD), ',')),
  ),
);
