// The same with changing, inspection and all file systems.

export { openDisk } from '../../src/guest/disk.ts';
export { EditSession } from '../../src/guest/session.ts';
export { saveOverlay } from '../../src/overlay/save.ts';
export { openUrl } from '../../src/platform/browser/http.ts';
export * from './size-entry.ts';
