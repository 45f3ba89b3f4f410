/** The name databases of a Unix guest: passwd(5), group(5) and shadow(5). */
import { Posix } from '../errors.ts';

/** The largest user or group number: 2^32 - 1 means "none" to chown(2). */
const MAX_ID = 0xffff_fffe;

/**
 * The number in the third field of the line that begins with `name:`, in /etc/passwd the user's, in /etc/group the group's; undefined
 * when there is no such line. A name is compared as it stands; lines that make no sense are passed over, and so are NIS entries.
 */
export function numericId(database: string, name: string): number | undefined {
  for (const line of database.split('\n')) {
    const fields = line.split(':');
    if (fields[0] !== name || name === '' || name.startsWith('+') || name.startsWith('-')) continue;
    const digits = fields[2] ?? '';
    if (!/^[0-9]+$/.test(digits)) continue;
    const id = Number(digits);
    if (id <= MAX_ID) return id;
  }
  return undefined;
}

/**
 * shadow(5) with the password hash of `user` replaced, on every line of that user; all other bytes stay.
 * Throws Posix ENOENT when the user is missing in either file.
 */
export function replacePassword(passwd: string, shadow: string, user: string, hash: string): string {
  if (!passwd.split('\n').some((line) => line.split(':')[0] === user)) {
    throw new Posix('ENOENT', { path: '/etc/passwd' }, `User ${user} not found in password file.`);
  }
  let found = false;
  const lines = shadow.split('\n').map((line) => {
    const fields = line.split(':');
    if (fields[0] !== user || fields.length < 2) return line;
    found = true;
    fields[1] = hash;
    return fields.join(':');
  });
  if (!found) throw new Posix('ENOENT', { path: '/etc/shadow' }, `User ${user} not found in shadow file.`);
  return lines.join('\n');
}
