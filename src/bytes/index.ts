/** Bytes: structures, checksums, identifiers and text. No I/O. */
export * from './bitmap.ts';
export * from './crc32.ts';
export * from './runs.ts';
export * from './struct.ts';
export * from './text.ts';
export * from './uuid.ts';
