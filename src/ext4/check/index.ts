/** Checking ext2, ext3 and ext4. */
export { checkExt4, type Ext4CheckResult } from './check.ts';
