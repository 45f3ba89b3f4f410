/** Inspection: operating systems, their mount points, and their packages. */

export { type ApiAnswers, apiAnswers } from './api-answers.ts';
export { type Application, listApplications, listRpmApplications } from './applications.ts';
export type { SystemType } from './classify.ts';
export { type IconOptions, readIcon } from './icon.ts';
export * from './inspection.ts';
export * from './packages.ts';
export { osinfo, type PackageFormat, type PackageManagement } from './product.ts';
export type { InitSystem } from './settings.ts';
export * from './systems.ts';
