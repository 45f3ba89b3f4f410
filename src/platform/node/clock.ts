/** The time of this computer. */

/** Now: whole seconds since 1970-01-01 UTC, and the nanoseconds after them, to the millisecond. */
export function clock(): { readonly seconds: number; readonly nanoseconds: number } {
  const milliseconds = Date.now();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: (milliseconds - seconds * 1000) * 1_000_000 };
}
