/** The table of commands and what every door needs to run one. */
export * from './declaration.ts';
export * from './documentation.ts';
export * from './help.ts';
export * from './host.ts';
export * from './invocation.ts';
export * from './options.ts';
export * from './output.ts';
export * from './parse.ts';
export * from './suggest.ts';
export * from './table.ts';
