/** All functions of the client library. */

import type { LibraryFunctions } from '../session.ts';
import { configurationFunctions } from './configuration.ts';
import { diskFunctions } from './disks.ts';
import { driveFunctions } from './drives.ts';
import { stateFunctions } from './state.ts';

export const LIBRARY: LibraryFunctions = {
  ...configurationFunctions,
  ...diskFunctions,
  ...driveFunctions,
  ...stateFunctions,
};
