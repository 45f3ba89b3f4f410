/** Patterns of `tar --exclude`: wildcards in which `*` and `?` match a slash too, at the beginning of a name or behind any slash in it. */
import { type Bytes, decodeName } from '../../bytes/index.ts';
import { globMatcher } from '../../guest/glob.ts';

/** A function that tells whether a name, relative to what is packed and without `./`, is left out. */
export function tarExcluder(patterns: readonly string[]): (name: Bytes) => boolean {
  const matchers = patterns.map((pattern) => globMatcher(bare(pattern)));
  return (bytes) => {
    const name = decodeName(bytes);
    for (let from = 0; ; ) {
      const rest = name.slice(from);
      if (matchers.some((matches) => matches(rest))) return true;
      const slash = name.indexOf('/', from);
      if (slash < 0) return false;
      from = slash + 1;
    }
  };
}

/** Without `./` before and a slash after it. */
function bare(pattern: string): string {
  const start = pattern.startsWith('./') ? 2 : 0;
  return pattern.length > start + 1 && pattern.endsWith('/') ? pattern.slice(start, -1) : pattern.slice(start);
}
