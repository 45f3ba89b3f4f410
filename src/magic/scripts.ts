/** Scripts by their first line. */
const SHELLS: readonly (readonly [RegExp, string])[] = [
  [/^\/(usr\/(local\/)?)?bin\/bash\b/, 'Bourne-Again shell script text executable'],
  [/^\/usr\/bin\/env +bash\b/, 'Bourne-Again shell script text executable'],
  [/^\/bin\/sh(?![\w.+-])/, 'POSIX shell script text executable'],
  [/^\/bin\/csh\b/, 'C shell script text executable'],
  [/^\/bin\/ksh\b/, 'Korn shell script text executable'],
  [/^\/(usr\/(local\/)?)?(bin\/)?tcsh\b/, 'Tenex C shell script text executable'],
  [/^\/(usr\/(local\/)?)?bin\/zsh\b/, "Paul Falstad's zsh script text executable"],
  [/^\/usr\/bin\/env +zsh\b/, "Paul Falstad's zsh script text executable"],
  [/^\/(usr\/(local\/)?)?bin\/fish\b/, 'fish shell script text executable'],
  [/^\/(usr\/(local\/)?)?bin\/nawk\b/, 'new awk script text executable'],
  [/^\/(usr\/(local\/)?)?bin\/gawk\b/, 'GNU awk script text executable'],
  [/^\/(usr\/)?bin\/awk\b/, 'awk script text executable'],
  [/^\/usr\/(local\/)?bin\/python/, 'Python script text executable'],
  [/^\/usr\/bin\/env +python/, 'Python script text executable'],
  [/^\/usr\/(local\/)?bin\/ruby\b/, 'Ruby script text executable'],
  [/^\/usr\/bin\/env +ruby\b/, 'Ruby script text executable'],
  [/^\/usr\/(local\/)?bin\/php\b/, 'PHP script text executable'],
  [/^\/usr\/(local\/)?bin\/lua\b/, 'Lua script text executable'],
  [/^\/usr\/(local\/)?bin\/tclsh\b/, 'Tcl script text executable'],
  [/^\/(usr\/(local\/)?)?bin\/node(js)?\b/, 'Node.js script executable'],
  [/^\/usr\/bin\/env +node(js)?\b/, 'Node.js script executable'],
];

/** Perl's answer is all there is: nothing is said of the encoding. */
export const PERL_SCRIPT = 'Perl script text executable';

/** The interpreter of a script; undefined for what does not begin with `#!`. */
export function scriptKind(text: string): string | undefined {
  const line = firstLine(text);
  if (/^\S{0,200}\/bin\/perl(?:[\s\d]|$)/.test(line) || /^\/usr\/bin\/env +perl\b/.test(line)) return PERL_SCRIPT;
  for (const [pattern, kind] of SHELLS) if (pattern.test(line)) return kind;
  return undefined;
}

/** The interpreter of a script that is none of those; it counts less than what the text itself says. */
export function otherScript(text: string): string | undefined {
  const line = firstLine(text)
    .trimEnd()
    .replace(/^\/usr\/bin\/env {1,80}/, '');
  return line === '' ? undefined : `a ${line} script text executable`;
}

function firstLine(text: string): string {
  if (!text.startsWith('#!')) return '';
  const end = text.indexOf('\n');
  return text.slice(2, end < 0 ? 512 : Math.min(end, 512)).replace(/^[ \t]{1,80}/, '');
}
