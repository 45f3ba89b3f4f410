/** Databases of package managers: dpkg, apk, pacman, rpm. Read from text or bytes; nothing here knows where they lie in a guest. */
export { parseApkInstalled } from './apk.ts';
export { type DatabaseFile, fileOfBytes } from './database-file.ts';
export { type DpkgRecord, isInstalled, packageOfDpkg, parseDpkgRecords, parseDpkgStatus, parseDpkgStatusPart } from './dpkg.ts';
export { type Package, splitVersion } from './package.ts';
export { parsePacmanDescription } from './pacman.ts';
export { type RpmDatabase, type RpmPackages, readRpmDatabase } from './rpm.ts';
export { parseRpmHeader } from './rpm-header.ts';
