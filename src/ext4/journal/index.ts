/** The journal (jbd2) of ext3 and ext4: found, checked and replayed in memory. */
export { ReplayedDevice } from './device.ts';
export type { FastCommitOperation } from './fast-commit.ts';
export { type EditedEntry, FastCommitState } from './fast-commit-state.ts';
export { JournalFile, type JournalRun } from './log.ts';
export { type OverlayRange, RangeOverlay } from './range-overlay.ts';
export { emptiedJournalSuperblock, type RecoveredJournal, type RecoverOptions, recoverJournal } from './recover.ts';
export { type JournalChecksums, type JournalSuperblock, parseJournalSuperblock } from './superblock.ts';
