/** What the client library finds out about an operating system: packages, an icon, libosinfo's name. */
import type { Application2Struct } from '../../commands/api/calls.ts';
import { Unsupported } from '../../errors.ts';
import { listPackages, osinfo, type PackageFormat } from '../../guest/inspect/index.ts';
import type { Io } from '../../io/effect.ts';
import type { LibraryFunctions, Session } from '../session.ts';

function* applications(session: Session, root: string): Io<Application2Struct[]> {
  const format = (yield* session.call('inspect_get_package_format', { root })) as PackageFormat;
  const handle = session.handle({ name: 'inspect_list_applications2' });
  const list = yield* listPackages(handle.tree, format);
  if (list.status === 'unsupported') {
    if (format === 'unknown') return [];
    throw new Unsupported(`packages of format ${format}`, list.reason);
  }
  return list.packages.map((one) => ({
    app2_name: one.name,
    app2_display_name: '',
    app2_epoch: one.epoch,
    app2_version: one.version,
    app2_release: one.release,
    app2_arch: one.architecture,
    app2_install_path: '',
    app2_trans_path: '',
    app2_publisher: '',
    app2_url: one.url ?? '',
    app2_source_package: one.source ?? '',
    app2_summary: '',
    app2_description: one.summary ?? '',
    app2_spare1: '',
    app2_spare2: '',
    app2_spare3: '',
    app2_spare4: '',
  }));
}

export const inspectionFunctions: LibraryFunctions = {
  *inspect_list_applications2(session, { root }) {
    return yield* applications(session, root);
  },
  *inspect_list_applications(session, { root }) {
    return (yield* applications(session, root)).map((one) => ({
      app_name: one.app2_name,
      app_display_name: one.app2_display_name,
      app_epoch: one.app2_epoch,
      app_version: one.app2_version,
      app_release: one.app2_release,
      app_install_path: one.app2_install_path,
      app_trans_path: one.app2_trans_path,
      app_publisher: one.app2_publisher,
      app_url: one.app2_url,
      app_source_package: one.app2_source_package,
      app_summary: one.app2_summary,
      app_description: one.app2_description,
    }));
  },
  *inspect_get_icon(session, { root }) {
    // An icon is looked for by the distribution's name; where there is none the answer is empty, as for many real guests.
    yield* session.call('inspect_get_distro', { root });
    return new Uint8Array(0);
  },
  *inspect_get_osinfo(session, { root }) {
    return osinfo({
      distribution: yield* session.call('inspect_get_distro', { root }),
      major: yield* session.call('inspect_get_major_version', { root }),
      minor: yield* session.call('inspect_get_minor_version', { root }),
    });
  },
};
