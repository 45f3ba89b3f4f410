/**
 * What is written in a text: languages and formats, by what file(1) looks for and in its order (its strongest test wins). A text is taken
 * as bytes, one character each. All patterns work on a beginning of 8 KiB.
 */
import { otherScript, PERL_SCRIPT, scriptKind } from './scripts.ts';

/** How far a regular expression of file(1) sees. */
const REACH = 8192;

interface TextKind {
  readonly name: string;
  test(text: string): boolean;
}

const kind = (name: string, test: (text: string) => boolean): TextKind => ({ name, test });
const matches = (name: string, pattern: RegExp): TextKind => kind(name, (text) => pattern.test(text));
/** A word somewhere, and a line that proves it. */
const word = (name: string, needle: string, ...patterns: readonly RegExp[]): TextKind =>
  kind(name, (text) => text.includes(needle) && patterns.every((pattern) => pattern.test(text)));

const HTML = 'HTML document text';
const PYTHON = 'Python script text executable';
const RUBY = 'Ruby script text';
const CPP = 'C++ source text';
const C = 'C source text';
const RUBY_END = /^[ \t]{0,80}end(?:\s+[;#].*)?$/m;
const PACKAGE = /^package[ \t]{1,80}[0-9A-Za-z_:]{1,200} {0,80};/m;

/** From the strongest test to the weakest. */
const KINDS: readonly TextKind[] = [
  matches(HTML, /^[\s\S]{0,4096}<!doctype\s{1,80}html/i),
  matches('SMTP mail text', /^Received:/),
  matches('GNU gettext message catalogue text', /^[\s\S]{0,1024}\nmsgid[\s\S]{0,1024}?\nmsgstr/),
  matches('unified diff output text', /^[\s\S]{0,4096}?--- [^\n]{0,1024}\n\+\+\+ [^\n]{0,1024}\n@@/),
  matches('RFC 822 mail text', /^(?:From|Date|Subject|Message-ID): .*\n(?:[\w-]{1,60}: .*\n){2}/),
  kind(
    RUBY,
    (text) => /^[ \t]{0,80}(?:class|module)\s[A-Z]/m.test(text) && /(?:modul|includ)e [A-Z]|def [a-z]/.test(text) && RUBY_END.test(text),
  ),
  kind('Perl5 module source text', (text) => text.startsWith('package') && PACKAGE.test(text)),
  kind('Perl5 module source text', (text) => PACKAGE.test(text) && /^1 {0,80};|^(?:use|sub|my) .{0,500}[(;{=]/m.test(text)),
  word(CPP, 'namespace', /^namespace\s{1,80}[_A-Za-z]{1,20}\s{0,80}\{/m),
  matches('PHP script text', /^[\s\S]{0,2048}<\?php/),
  word(CPP, 'template', /^[ \t]{0,80}template[ \t]{0,80}<.*>[ \t]{0,80}$/m),
  word(RUBY, 'require', /^[ \t]{0,80}require\s'[A-Za-z_/.]{1,200}'/m, /def [a-z]| do$/m, RUBY_END),
  matches(PYTHON, /^"""/),
  matches('Clojure script text executable', /^#!.{0,80}clojure/),
  matches('LaTeX 2e document text', /^[\s\S]{0,4096}\\documentclass/),
  matches(PYTHON, /def __init__[\s\S]{0,64}self/),
  matches(PYTHON, /if __name__[\s\S]{0,64}(?:'|")__main__/),
  matches(PYTHON, /^class [_A-Za-z]{1,200}(?:\(.{0,300}\))? {0,80}:(?:[ \t]{1,80}pass)?$/m),
  word(CPP, 'public', /^\s{0,80}public:/m),
  word(CPP, 'private', /^\s{0,80}private:/m),
  matches('XML document text', /^<\?xml/),
  matches(PYTHON, /try:[\s\S]{0,8192}(?:^[ \t]{0,80}except.*:$|finally:)/m),
  matches(PYTHON, /^\s{0,50}def {1,50}[_a-zA-Z]{1,100}[\s\S]{0,2048}?\((?:[A-Za-z*_, ]){0,255}\):$/m),
  matches('Perl POD document text', /^\n?=(?:pod\n|head1 |head2 |encoding )/),
  matches('diff output text', /^diff /),
  matches(HTML, /^[\s\S]{0,4096}<(?:head|title|html|script|style|table)[ >]/i),
  matches('M4 macro processor script text', /^dnl /),
  word(C, '#include', /^#include/m),
  matches('Lisp/Scheme program text', /^;;.*\n(?:.*\n){0,80}?\((?:defun|defvar|defparam|setq|defmacro|define)\b/),
  matches('makefile script text', /^(?:CFLAGS|VPATH|LDFLAGS|all:|\.PRECIOUS)/m),
  word(PYTHON, 'import', /^from[ \t]{1,80}(?:[A-Za-z0-9_.]){1,200}[ \t]{1,80}import.*$/m),
  matches('Tcl/Tk script text executable', /^#!.{0,80}wish/),
  matches(HTML, /^[\s\S]{0,4096}<a href=/i),
  matches('troff or preprocessor input text', /^(?:\.\\"|'\\"|'\.\\"|\\")/),
  word(RUBY, 'require', /^[ \t]{0,80}require\s'[A-Za-z_/.]{1,200}'/m),
  matches('GNU Info text', /^[\s\S]{0,2048}This is [^\n]{1,200}produced by makeinfo/),
  matches('Texinfo source text', /^\\input texinfo/),
  word(C, 'pragma', /^#\s{0,80}pragma/m),
  word(C, 'endif', /^#[ \t]{0,80}ifn?def/m, /^#[ \t]{0,80}endif$/m),
  word(C, 'define', /^#[ \t]{0,80}define[ \t]/m),
  word(C, 'char', /^[ \t]{0,80}char(?: \*|\*).{1,300};[ \t]{0,80}$/m),
  word(C, 'extern', /^\s{0,80}extern\s/m),
  word(C, 'struct', /^struct\s/m),
  word(C, 'union', /^union\s/m),
  matches('awk or perl script text', /^[ \t\f\r\n]{0,100}BEGIN[ \t\f\r\n]{0,100}[{]/m),
  matches('exported SGML document text', /^[\s\S]{0,4096}<!(?:doctype|--)/i),
  kind('troff or preprocessor input text', (text) => /^\.[A-Za-z][A-Za-z0-9](?:[ \t]|$)/m.test(text.split('\n', 20).join('\n'))),
];

/** What a text is; undefined for text and nothing more. An answer in `whole` stands for itself, without a word on its encoding. */
export function textKind(all: string): { readonly name: string; readonly whole: boolean } | undefined {
  const text = all.slice(0, REACH);
  const script = scriptKind(text);
  if (script !== undefined) return { name: script, whole: script === PERL_SCRIPT || script === 'Node.js script executable' };
  const xml = /^<\?xml version ?= ?["'](.{3})/.exec(text);
  if (xml !== null) {
    if (/^[\s\S]{0,4096}<svg/.test(text)) return { name: 'SVG Scalable Vector Graphics image', whole: true };
    return { name: `XML ${xml[1]} document text`, whole: false };
  }
  if (text.startsWith('<svg')) return { name: 'SVG Scalable Vector Graphics image', whole: true };
  const found = KINDS.find((one) => one.test(text));
  const name = found?.name ?? otherScript(text);
  return name === undefined ? undefined : { name, whole: false };
}
