/** The stand-in for the hypervisor as a program: `guestless appliance serve`. */
import { serveAppliance } from '../appliance/serve.ts';
import { report } from './report.ts';
import { rawWords } from './words.ts';

void serveAppliance(rawWords().slice(2))
  .catch((error: unknown) => report(error, false))
  .then((status) => process.exit(status));
