/** Input and output: described as effects, performed by drivers; devices, sources and the page cache. */
export * from './buffered-device.ts';
export * from './cache.ts';
export * from './commit-host.ts';
export * from './device.ts';
export * from './drivers.ts';
export * from './effect.ts';
export * from './faces.ts';
export * from './lock.ts';
export * from './pieces.ts';
export * from './slice.ts';
export * from './source.ts';
export * from './transaction.ts';
export * from './writable-source-device.ts';
