/** All lenses, by the name of Augeas's module, and the files that each is for. */
import type { Lens } from '../lens.ts';
import { access, hostsAccess } from './access.ts';
import { group, gshadow, passwd, shadow } from './accounts.ts';
import { aptConf, aptPreferences, dpkg } from './apt.ts';
import { dhclient } from './dhclient.ts';
import { exportsTable, fuse, inputrc, ipRoute2, ldSo, spaceVariables } from './lists.ts';
import { logrotate, rsyslog } from './logging.ts';
import { avahi, mysql, networkManager, puppet, samba, semanage, sssd, systemd, yum } from './sections.ts';
import { anacron, chrony, iscsid, pgHba, postfixMain, postgresql } from './services.ts';
import { dnsmasq, loginDefs, modprobe, resolv, simpleVariables, sysctl } from './settings.ts';
import { shellVariables } from './shell-variables.ts';
import { ssh, sshd } from './ssh.ts';
import { sudoers } from './sudoers.ts';
import { grubEnvironment, kdump, kernelCommandLine, mdadmConf, tmpfiles } from './system.ts';
import {
  aliases,
  aptSources,
  cron,
  crypttab,
  ethers,
  fstab,
  hostConf,
  hostname,
  hosts,
  inittab,
  interfaces,
  limits,
  modules,
  networks,
  nsswitch,
  pam,
  pamConf,
  protocols,
  securetty,
  services,
  shells,
  simpleLines,
} from './tables.ts';

/** A lens and the files it is for: patterns of glob(7), in which an asterisk takes no slash; one that has no slash at all is for the last name. */
export interface LensEntry {
  readonly lens: Lens;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What package managers and editors leave beside a file. */
const LEFTOVERS = [
  '*~',
  '*.rpmnew',
  '*.rpmsave',
  '*.dpkg-old',
  '*.dpkg-new',
  '*.dpkg-bak',
  '*.dpkg-dist',
  '*.augsave',
  '*.augnew',
  '*.bak',
  '*.old',
  '#*#',
];

function entry(lens: Lens, include: string, exclude: readonly string[] = []): LensEntry {
  return { lens, include: include.split(' '), exclude };
}

const SYSCONFIG = [
  'anaconda',
  'bootloader',
  'hw-uuid',
  'hwconf',
  'ip*tables',
  'ip*tables.save',
  'kernel',
  '*.pub',
  'sysstat.ioconf',
  'system-config-firewall',
  'system-config-securitylevel',
  'network/if-up.d/SuSEfirewall2',
  'network-scripts',
  'rhn',
  'rhn/allowed-actions/script',
  'SuSEfirewall2.d',
  'SuSEfirewall2.d/services/TEMPLATE',
  '*.systemd',
];

/** In the order in which files are loaded. */
export const LENSES: ReadonlyMap<string, LensEntry> = new Map([
  ['Dpkg', entry(dpkg, '/etc/dpkg/dpkg.cfg')],
  ['Cmdline', entry(kernelCommandLine, '/etc/kernel/cmdline /proc/cmdline')],
  ['Dnsmasq', entry(dnsmasq, '/etc/dnsmasq.conf /etc/dnsmasq.d/*', ['.*', ...LEFTOVERS])],
  ['Dhclient', entry(dhclient, '/etc/dhcp3/dhclient.conf /etc/dhcp/dhclient.conf /etc/dhclient.conf')],
  ['Mdadm_conf', entry(mdadmConf, '/etc/mdadm.conf /etc/mdadm/mdadm.conf')],
  ['AptPreferences', entry(aptPreferences, '/etc/apt/preferences /etc/apt/preferences.d/*', LEFTOVERS)],
  ['Kdump', entry(kdump, '/etc/kdump.conf')],
  ['Modules', entry(modules, '/etc/modules')],
  ['Chrony', entry(chrony, '/etc/chrony.conf')],
  [
    'Shellvars',
    entry(
      shellVariables,
      [
        '/etc/sysconfig/* /etc/sysconfig/network/config /etc/sysconfig/network/dhcp /etc/sysconfig/network/dhcp6r /etc/sysconfig/network/dhcp6s',
        '/etc/sysconfig/network/ifcfg-* /etc/sysconfig/network/if-down.d/* /etc/sysconfig/network/ifroute-* /etc/sysconfig/network/if-up.d/*',
        '/etc/sysconfig/network/providers/* /etc/sysconfig/network-scripts/ifcfg-* /etc/sysconfig/rhn/allowed-actions/*',
        '/etc/sysconfig/rhn/allowed-actions/script/* /etc/sysconfig/rhn/rhnsd /etc/sysconfig/SuSEfirewall2.d/cobbler',
        '/etc/sysconfig/SuSEfirewall2.d/services/* /etc/default/* /etc/profile /etc/profile.d/* /etc/arno-iptables-firewall/debconf.cfg',
        '/etc/conf.d/* /etc/cron-apt/config /etc/environment /etc/firewalld/firewalld.conf /etc/blkid.conf /etc/adduser.conf /etc/cowpoke.conf',
        '/etc/cvs-cron.conf /etc/cvs-pserver.conf /etc/devscripts.conf /etc/kamailio/kamctlrc /etc/lbu/lbu.conf /etc/lintianrc /etc/lsb-release',
        '/etc/os-release /etc/periodic.conf /etc/popularity-contest.conf /etc/rc.conf /etc/rc.conf.d/* /etc/rc.conf.local /etc/selinux/config',
        '/etc/ucf.conf /etc/locale.conf /etc/vconsole.conf /etc/byobu/*',
      ].join(' '),
      [
        ...SYSCONFIG.map((name) => `/etc/sysconfig/${name}`),
        '/etc/default/grub_installdevice*',
        '/etc/default/rmt',
        '/etc/default/star',
        '/etc/default/whoopsie',
        '/etc/profile.d/*.csh',
        '/etc/profile.d/*.tcsh',
        '/etc/profile.d/csh.local',
        ...LEFTOVERS,
      ],
    ),
  ],
  ['Pam', entry(pam, '/etc/pam.d/*', ['/etc/pam.d/allow.pamlist', '/etc/pam.d/README', ...LEFTOVERS])],
  ['Hosts', entry(hosts, '/etc/hosts')],
  ['GrubEnv', entry(grubEnvironment, '/boot/grub/grubenv /boot/grub2/grubenv')],
  ['PamConf', entry(pamConf, '/etc/pam.conf')],
  [
    'Simplevars',
    entry(
      simpleVariables,
      '/etc/kernel-img.conf /etc/kerneloops.conf /etc/wgetrc /etc/zabbix/*.conf /etc/audit/auditd.conf /etc/mixerctl.conf /etc/wsconsctlctl.conf /etc/ocsinventory/ocsinventory-agent.cfg',
    ),
  ],
  ['Aliases', entry(aliases, '/etc/aliases')],
  ['NetworkManager', entry(networkManager, '/etc/NetworkManager/system-connections/*')],
  ['Login_defs', entry(loginDefs, '/etc/login.defs')],
  ['AptConf', entry(aptConf, '/etc/apt/apt.conf /etc/apt/apt.conf.d/*', LEFTOVERS)],
  ['Securetty', entry(securetty, '/etc/securetty')],
  ['Modprobe', entry(modprobe, '/etc/modprobe.conf /etc/modprobe.d/* /etc/modprobe.conf.local', LEFTOVERS)],
  [
    'Cron',
    entry(cron, '/etc/cron.d/* /etc/crontab /etc/crontabs/*', [
      '/etc/cron.d/at.allow',
      '/etc/cron.d/at.deny',
      '/etc/cron.d/cron.allow',
      '/etc/cron.d/cron.deny',
      ...LEFTOVERS,
    ]),
  ],
  ['Access', entry(access, '/etc/security/access.conf')],
  ['Services', entry(services, '/etc/services')],
  ['Inittab', entry(inittab, '/etc/inittab')],
  ['Gshadow', entry(gshadow, '/etc/gshadow', LEFTOVERS)],
  ['Ethers', entry(ethers, '/etc/ethers')],
  ['Passwd', entry(passwd, '/etc/passwd')],
  ['Networks', entry(networks, '/etc/networks')],
  ['Limits', entry(limits, '/etc/security/limits.conf /etc/security/limits.d/*.conf')],
  ['Spacevars', entry(spaceVariables, '/etc/havp/havp.config /etc/ldap.conf /etc/ldap/ldap.conf /etc/libnss-ldap.conf /etc/pam_ldap.conf')],
  ['MySQL', entry(mysql, '/etc/mysql/my.cnf /etc/mysql/conf.d/*.cnf /etc/my.cnf /etc/my.cnf.d/*.cnf')],
  ['Rsyslog', entry(rsyslog, '/etc/rsyslog.conf /etc/rsyslog.d/*', LEFTOVERS)],
  ['Host_Conf', entry(hostConf, '/etc/host.conf')],
  ['Hostname', entry(hostname, '/etc/hostname /etc/mailname')],
  ['Semanage', entry(semanage, '/etc/selinux/semanage.conf')],
  ['Interfaces', entry(interfaces, '/etc/network/interfaces /etc/network/interfaces.d/*', LEFTOVERS)],
  ['Crypttab', entry(crypttab, '/etc/crypttab')],
  ['Group', entry(group, '/etc/group')],
  ['Anacron', entry(anacron, '/etc/anacrontab')],
  ['Fstab', entry(fstab, '/etc/fstab /etc/mtab')],
  ['Shadow', entry(shadow, '/etc/shadow', LEFTOVERS)],
  [
    'Systemd',
    entry(
      systemd,
      '/lib/systemd/system/* /lib/systemd/system/*/* /etc/systemd/system/* /etc/systemd/system/*/* /etc/systemd/logind.conf /etc/sysconfig/*.systemd /lib/systemd/network/* /usr/local/lib/systemd/network/* /etc/systemd/network/*',
      ['/lib/systemd/system/*.d', '/etc/systemd/system/*.d', '/lib/systemd/system/*.wants', '/etc/systemd/system/*.wants', ...LEFTOVERS],
    ),
  ],
  ['Shells', entry(shells, '/etc/shells')],
  ['LdSo', entry(ldSo, '/etc/ld.so.conf /etc/ld.so.conf.d/*', LEFTOVERS)],
  ['Protocols', entry(protocols, '/etc/protocols')],
  ['Resolv', entry(resolv, '/etc/resolv.conf')],
  ['Ssh', entry(ssh, '/etc/ssh/ssh_config /root/.ssh/config /etc/ssh/ssh_config.d/*.conf')],
  ['Nsswitch', entry(nsswitch, '/etc/nsswitch.conf')],
  [
    'Simplelines',
    entry(
      simpleLines,
      '/etc/at.allow /etc/at.deny /etc/cron.allow /etc/cron.deny /etc/cron.d/at.allow /etc/cron.d/at.deny /etc/cron.d/cron.allow /etc/cron.d/cron.deny /etc/default/grub_installdevice /etc/pam.d/allow.pamlist /etc/hostname.*',
    ),
  ],
  ['Iscsid', entry(iscsid, '/etc/iscsi/iscsid.conf')],
  ['Inputrc', entry(inputrc, '/etc/inputrc')],
  ['Avahi', entry(avahi, '/etc/avahi/avahi-daemon.conf')],
  ['Hosts_Access', entry(hostsAccess, '/etc/hosts.allow /etc/hosts.deny')],
  ['IPRoute2', entry(ipRoute2, '/etc/iproute2/*', LEFTOVERS)],
  ['Puppet', entry(puppet, '/etc/puppet/puppet.conf /usr/local/etc/puppet/puppet.conf /etc/puppetlabs/puppet/puppet.conf')],
  [
    'Yum',
    entry(
      yum,
      '/etc/yum.conf /etc/yum.repos.d/*.repo /etc/yum/yum-cron*.conf /etc/yum/pluginconf.d/* /etc/dnf/dnf.conf /etc/dnf/automatic.conf /etc/dnf/plugins/*.conf',
      ['/etc/yum/pluginconf.d/versionlock.list', ...LEFTOVERS],
    ),
  ],
  ['Samba', entry(samba, '/etc/samba/smb.conf')],
  ['Exports', entry(exportsTable, '/etc/exports')],
  [
    'Sysctl',
    entry(sysctl, '/boot/loader.conf /etc/sysctl.conf /etc/sysctl.d/*', [
      '/etc/sysctl.d/README',
      '/etc/sysctl.d/README.sysctl',
      ...LEFTOVERS,
    ]),
  ],
  ['Aptsources', entry(aptSources, '/etc/apt/sources.list /etc/apt/sources.list.d/*', LEFTOVERS)],
  ['Sshd', entry(sshd, '/etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf')],
  ['Logrotate', entry(logrotate, '/etc/logrotate.d/* /etc/logrotate.conf', LEFTOVERS)],
  ['Tmpfiles', entry(tmpfiles, '/etc/tmpfiles.d/*.conf /usr/lib/tmpfiles.d/*.conf /run/tmpfiles.d/*.conf')],
  ['Postfix_Main', entry(postfixMain, '/etc/postfix/main.cf /usr/local/etc/postfix/main.cf')],
  [
    'Postgresql',
    entry(
      postgresql,
      '/var/lib/pgsql/data/postgresql.conf /var/lib/pgsql/*/data/postgresql.conf /var/lib/postgresql/*/data/postgresql.conf /etc/postgresql/*/*/postgresql.conf',
    ),
  ],
  [
    'Pg_Hba',
    entry(
      pgHba,
      '/var/lib/pgsql/data/pg_hba.conf /var/lib/pgsql/*/data/pg_hba.conf /var/lib/postgresql/*/data/pg_hba.conf /etc/postgresql/*/*/pg_hba.conf',
    ),
  ],
  ['Fuse', entry(fuse, '/etc/fuse.conf')],
  [
    'Sudoers',
    entry(
      sudoers,
      '/etc/sudoers /usr/local/etc/sudoers /etc/sudoers.d/* /usr/local/etc/sudoers.d/* /opt/csw/etc/sudoers /etc/opt/csw/sudoers',
      LEFTOVERS,
    ),
  ],
  ['Sssd', entry(sssd, '/etc/sssd/sssd.conf')],
]);
