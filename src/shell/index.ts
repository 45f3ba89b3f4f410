/** guestfish's language over the table of verbs. */
export * from './complete.ts';
export * from './error.ts';
export type * from './host.ts';
export * from './line.ts';
export { parseNumber } from './number.ts';
export * from './options.ts';
export { preparedHelp } from './prepared.ts';
export * from './prompt.ts';
export * from './script.ts';
export * from './session.ts';
export * from './start.ts';
export { parseStringList } from './string-list.ts';
export { VOCABULARY } from './vocabulary.ts';
