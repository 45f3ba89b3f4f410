// The site: `npm run site` builds the reference of every subpath of the package and the guides in docs/ as static files in dist/site.
import * as fs from 'node:fs';
import * as path from 'node:path';

const manifest = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'package.json'), 'utf8'));

/** What the package exports, as sources: each subpath is a page of its own. */
const entryPoints = Object.values(manifest.exports)
  .filter((target) => typeof target === 'object')
  .map(({ types }) => types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts'));

export default {
  name: 'guestless',
  plugin: ['./tools/site-plugin.js'],
  entryPoints,
  displayBasePath: 'src',
  projectDocuments: ['docs/*.md'],
  readme: 'README.md',
  tsconfig: 'tsconfig.site.json',
  out: 'dist/site',
  disableGit: true,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  includeVersion: true,
  // The compiler has checked the sources; it does so by projects, each with its own environment, which typedoc cannot.
  skipErrorChecking: true,
  validation: { notExported: false },
  navigation: { includeGroups: true },
  highlightLanguages: [
    'bash',
    'c',
    'console',
    'diff',
    'html',
    'ini',
    'js',
    'json',
    'jsonc',
    'jsx',
    'markdown',
    'python',
    'rust',
    'sh',
    'sql',
    'toml',
    'ts',
    'tsx',
    'xml',
    'yaml',
  ],
  logLevel: 'Warn',
};
