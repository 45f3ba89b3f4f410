#!/usr/bin/env node
// First thing of the command line tool: says which Node.js it needs before one that is too old stumbles over the rest, keeps
// compiled code between runs where Node.js can (22 and later), and starts.
import module from 'node:module';
import process from 'node:process';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`guestless: needs Node.js 20.19 or newer; this is ${process.versions.node} (${process.execPath})\n`);
  process.exit(2);
}
// Beside the bundle and not in the temporary folder, where another user could leave code for us.
if (module.enableCompileCache !== undefined) module.enableCompileCache(`${import.meta.dirname}/compiled`);
await import('../src/cli/main.ts');
