/** Partition tables: MBR and GPT, and Linux's names of partitions. */
export * from './boot-sector.ts';
export * from './names.ts';
export * from './read.ts';
export * from './table.ts';
export * from './types.ts';
