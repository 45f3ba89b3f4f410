/** OpenStack nova's disk VFS and its injection. */

export * from './guest-vfs.ts';
export * from './image.ts';
export {
  checkMandatory,
  hashPassword,
  type InjectionItem,
  type InjectionItems,
  type InjectionOptions,
  injectDataIntoFs,
  type PasswordScheme,
} from './inject.ts';
export { injectDataIntoGuest } from './inject-data.ts';
export type { Json } from './python-text.ts';
export { TreeVerbs } from './tree-verbs.ts';
export type { Content, VfsVerbs } from './verbs.ts';
