#!/usr/bin/env node
// First thing of the command line tool: says which Node.js it needs before one that is too old stumbles over the rest, and starts the
// bundle from compiled code. V8 rejects what another version of it or another source made; then the source is compiled as ever, and
// the result kept beside the bundle for the next time where that folder can be written. Beside it and not in the temporary folder,
// where another user could leave code for us. Saves a third of the time above that of Node.js itself.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`guestless: needs Node.js 20.19 or newer; this is ${process.versions.node} (${process.execPath})\n`);
  process.exit(2);
}
const fs = require('node:fs');
const vm = require('node:vm');

// The programs that are too large to be loaded for every short call.
const [first, second] = process.argv.slice(2);
const program = first === 'fish' ? 'fish' : first === 'appliance' && second === 'serve' ? 'appliance' : 'main';
const bundle = `${__dirname}/${program}.cjs`;
const compiled = `${__dirname}/${program}-${process.versions.v8}-${process.arch}.compiled`;
const source = `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(bundle, 'latin1')}\n})`;

let cachedData;
try {
  cachedData = fs.readFileSync(compiled);
} catch {
  // The first time with this version.
}
const script = new vm.Script(source, {
  filename: bundle,
  cachedData,
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
if (cachedData === undefined || script.cachedDataRejected) {
  process.once('exit', () => {
    try {
      const temporary = `${compiled}.${process.pid}`;
      fs.writeFileSync(temporary, script.createCachedData(), { flag: 'wx' });
      fs.renameSync(temporary, compiled);
    } catch {
      // A folder that is not ours: every start compiles.
    }
  });
}
script.runInThisContext()(exports, require, module, bundle, __dirname);
