/** What files are: descriptions as file(1) gives them, and the architecture of programs. */
export { type Architecture, fileArchitecture } from './architecture.ts';
export { type CpioMember, CpioReader } from './cpio.ts';
export { type DescribeOptions, describeFile } from './describe.ts';
export { type MagicSource, piecesOf } from './source.ts';
