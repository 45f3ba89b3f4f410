/** What this is, to those who ask through the API of libguestfs. */
import type { VersionStruct } from '../api/calls.ts';

/** Where a kernel would say its release: no kernel has such a one. */
export const PRODUCT_RELEASE = 'guestless';

/** The version of the API whose behaviour the verbs have. */
export const API_VERSION: VersionStruct = { major: 1, minor: 48, release: 6, extra: 'guestless' };
