// Names on the site: guides by their headings, modules as a program imports them.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Converter, ReflectionKind } from 'typedoc';

const manifest = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../package.json'), 'utf8'));
const subpaths = new Map(
  Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([subpath, { types }]) => [
      types.replace('./dist/', '').replace(/(\/index)?\.d\.ts$/, ''),
      path.posix.join(manifest.name, subpath),
    ]),
);

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) module.name = subpaths.get(module.name) ?? module.name;
    for (const guide of project.getReflectionsByKind(ReflectionKind.Document)) {
      const heading = /^# (.+)/.exec(guide.content.map((part) => part.text).join(''))?.[1];
      if (heading !== undefined) guide.name = heading.replaceAll('`', '');
    }
  });
}
