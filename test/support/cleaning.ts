/** What a file of tests wrote is removed when it is over: workers of the tests are ended without a word. */
import { afterAll } from 'vitest';
import { removeScratchFolders } from './images.ts';

afterAll(removeScratchFolders);
