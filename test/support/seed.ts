/** One seed for all properties, so that a run can be repeated; `npm run fuzz` brings a new one each round. */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['GUESTLESS_FUZZ_SEED'] ?? 20_250_601) });
