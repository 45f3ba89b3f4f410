/** Partition tables: MBR and GPT, and Linux's names of partitions. */
export * from './boot-sector.ts';
export type { EditablePartition, EditableTable, NewPartition, RandomBytes } from './editable-table.ts';
export { GptLabel } from './gpt-write.ts';
export { MbrLabel } from './mbr-write.ts';
export * from './names.ts';
export * from './read.ts';
export * from './table.ts';
export * from './types.ts';
export * from './write.ts';
