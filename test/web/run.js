// The page, as a user has it: opens, shows, changes and saves, in a real browser; what it saves is judged by real tools.
import './speed.js';
import './opening.js';
import './arriving.js';
import './viewing.js';
import './changing.js';
import './programs.js';
import './hostile.js';
import './fixtures.js';
import './memory.js';
import './appearance.js';
import { run } from './runner.js';

await run(process.argv[2]);
