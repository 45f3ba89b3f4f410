/** Errors as they cross to the page. */
import { GuestlessError } from '../../../src/errors.ts';
import type { Failure } from '../protocol.ts';
import { MissingFile } from './sources.ts';

export function failureOf(error: unknown): Failure {
  if (error instanceof GuestlessError) {
    const { message, family, code } = error;
    return { message, family, code, ...(error instanceof MissingFile ? { missing: error.missing } : {}) };
  }
  if (error instanceof DOMException && error.name === 'AbortError') return { message: 'stopped', family: 'cancelled', code: 'ABORTED' };
  const message = error instanceof Error ? error.message : String(error);
  return { message: `this is a mistake of guestless, not of the image: ${message}`, family: 'bug', code: 'BUG' };
}
