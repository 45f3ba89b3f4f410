/** An installed package, as the databases of package managers tell it. */

export interface Package {
  readonly name: string;
  /** 0 where there is none. */
  readonly epoch: number;
  /** Upstream's version. */
  readonly version: string;
  /** The distribution's revision; empty when there is none. */
  readonly release: string;
  /** As the package manager names it; empty when the database does not tell. */
  readonly architecture: string;
  readonly summary?: string;
  /** The long description, without the summary; lines separated by \n. */
  readonly description?: string;
  readonly url?: string;
  /** The source package that it was built from, where the database tells. */
  readonly source?: string;
}

/** The fields of a package that may be absent. */
export type Details = Pick<Package, 'summary' | 'description' | 'url' | 'source'>;

/** Leaves out what is undefined. */
export function present(details: { readonly [K in keyof Details]?: Details[K] | undefined }): Details {
  const entries = Object.entries(details).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Details;
}

/** `[epoch:]upstream[-revision]`: the first colon, the last hyphen (Debian policy, 5.6.12; pacman's versions have the same shape). */
export function splitVersion(text: string): { readonly epoch: number; readonly version: string; readonly release: string } {
  const colon = /^([0-9]{1,9}):/.exec(text);
  const rest = colon === null ? text : text.slice(colon[0].length);
  const hyphen = rest.lastIndexOf('-');
  const epoch = colon === null ? 0 : Number(colon[1]);
  return hyphen < 0 ? { epoch, version: rest, release: '' } : { epoch, version: rest.slice(0, hyphen), release: rest.slice(hyphen + 1) };
}
