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
const v8 = require('node:v8');
const vm = require('node:vm');

// The programs that are too large to be loaded for every short call.
const [first, second] = process.argv.slice(2);
const program = first === 'fish' ? 'fish' : first === 'appliance' && second === 'serve' ? 'appliance' : 'main';
const bundle = `${__dirname}/${program}.cjs`;
// Each verb keeps what it needs itself: more would have to be loaded by the others too. Before its first run it takes what the first verb of all left.
const verb = program === 'main' && /^[a-z][a-z-]{1,30}$/.test(first ?? '') ? first : 'any';
const compiledFor = (name) => `${__dirname}/${program}-${name}-${process.versions.v8}-${process.arch}.compiled`;
const source = `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(bundle, 'latin1')}\n})`;

function readCompiled(name) {
  try {
    return fs.readFileSync(compiledFor(name));
  } catch {
    return undefined;
  }
}

function keep(name, compiled) {
  try {
    const temporary = `${compiledFor(name)}.${process.pid}`;
    fs.writeFileSync(temporary, compiled, { flag: 'wx' });
    fs.renameSync(temporary, compiledFor(name));
  } catch {
    // A folder that is not ours: every start compiles.
  }
}

const own = readCompiled(verb);
const cachedData = own ?? readCompiled('any');
const script = new vm.Script(source, {
  filename: bundle,
  cachedData,
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const usable = cachedData !== undefined && !script.cachedDataRejected;
if (own === undefined || !usable) {
  // What ran but once must still be there in the end. The flag goes before the code is kept: V8 accepts it under the same flags only.
  v8.setFlagsFromString('--no-flush-bytecode');
  process.once('exit', (status) => {
    v8.setFlagsFromString('--flush-bytecode');
    // A word that is no verb would leave a file for every mistake.
    if (status !== 0 && verb !== 'any') return;
    const compiled = script.createCachedData();
    keep(verb, compiled);
    if (!usable && verb !== 'any') keep('any', compiled);
  });
}
script.runInThisContext()(exports, require, module, bundle, __dirname);
