/** What partition types are called. */

/** Names of the one-byte MBR types that are still met. */
const MBR_TYPES: ReadonlyMap<number, string> = new Map([
  [0x00, 'Empty'],
  [0x01, 'FAT12'],
  [0x04, 'FAT16 <32M'],
  [0x05, 'Extended'],
  [0x06, 'FAT16'],
  [0x07, 'HPFS/NTFS/exFAT'],
  [0x0b, 'W95 FAT32'],
  [0x0c, 'W95 FAT32 (LBA)'],
  [0x0e, 'W95 FAT16 (LBA)'],
  [0x0f, "W95 Ext'd (LBA)"],
  [0x11, 'Hidden FAT12'],
  [0x12, 'Compaq diagnostics'],
  [0x14, 'Hidden FAT16 <32M'],
  [0x16, 'Hidden FAT16'],
  [0x17, 'Hidden HPFS/NTFS'],
  [0x1b, 'Hidden W95 FAT32'],
  [0x1c, 'Hidden W95 FAT32 (LBA)'],
  [0x1e, 'Hidden W95 FAT16 (LBA)'],
  [0x27, 'Hidden NTFS WinRE'],
  [0x39, 'Plan 9'],
  [0x41, 'PPC PReP Boot'],
  [0x42, 'SFS'],
  [0x4d, 'QNX4.x'],
  [0x63, 'GNU HURD or SysV'],
  [0x81, 'Minix / old Linux'],
  [0x82, 'Linux swap / Solaris'],
  [0x83, 'Linux'],
  [0x84, 'OS/2 hidden or Intel hibernation'],
  [0x85, 'Linux extended'],
  [0x88, 'Linux plaintext'],
  [0x8e, 'Linux LVM'],
  [0xa0, 'IBM Thinkpad hibernation'],
  [0xa5, 'FreeBSD'],
  [0xa6, 'OpenBSD'],
  [0xa8, 'Darwin UFS'],
  [0xa9, 'NetBSD'],
  [0xab, 'Darwin boot'],
  [0xaf, 'HFS / HFS+'],
  [0xbe, 'Solaris boot'],
  [0xbf, 'Solaris'],
  [0xda, 'Non-FS data'],
  [0xde, 'Dell Utility'],
  [0xea, 'Linux extended boot'],
  [0xeb, 'BeOS fs'],
  [0xee, 'GPT'],
  [0xef, 'EFI (FAT-12/16/32)'],
  [0xf2, 'DOS secondary'],
  [0xfb, 'VMware VMFS'],
  [0xfc, 'VMware VMKCORE'],
  [0xfd, 'Linux raid autodetect'],
]);

/** The GUIDs that this library treats specially. */
export const GPT_EFI_SYSTEM = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';
export const GPT_LINUX_FILESYSTEM = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';
export const GPT_LINUX_SWAP = '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F';
export const GPT_BIOS_BOOT = '21686148-6449-6E6F-744E-656564454649';

/** Names of GPT types: UEFI specification, the Discoverable Partitions Specification, and the makers' own documents. */
const GPT_TYPES: ReadonlyMap<string, string> = new Map([
  [GPT_EFI_SYSTEM, 'EFI System'],
  ['024DEE41-33E7-11D3-9D69-0008C781F39F', 'MBR partition scheme'],
  [GPT_BIOS_BOOT, 'BIOS boot'],
  ['9E1A2D38-C612-4316-AA26-8B49521E5A8B', 'PowerPC PReP boot'],
  [GPT_LINUX_FILESYSTEM, 'Linux filesystem'],
  [GPT_LINUX_SWAP, 'Linux swap'],
  ['E6D6D379-F507-44C2-A23C-238F2A3DF928', 'Linux LVM'],
  ['A19D880F-05FC-4D3B-A006-743F0F84911E', 'Linux RAID'],
  ['933AC7E1-2EB4-4F13-B844-0E14E2AEF915', 'Linux home'],
  ['3B8F8425-20E0-4F3B-907F-1A25A76F98E8', 'Linux server data'],
  ['4D21B016-B534-45C2-A9FB-5C16E091FD2D', 'Linux variable data'],
  ['7EC6F557-3BC5-4ACA-B293-16EF5DF639D1', 'Linux temporary data'],
  ['773F91EF-66D4-49B5-BD83-D683BF40AD16', "Linux user's home"],
  ['8DA63339-0007-60C0-C436-083AC8230908', 'Linux reserved'],
  ['BC13C2FF-59E6-4262-A352-B275FD6F7172', 'Linux extended boot'],
  ['CA7D7CCB-63ED-4C53-861C-1742536059CC', 'LUKS'],
  ['7FFEC5C9-2D00-49B7-8941-3EA10A5586B7', 'Linux dm-crypt'],
  ['44479540-F297-41B2-9AF7-D131D5F0458A', 'Linux root (x86)'],
  ['4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', 'Linux root (x86-64)'],
  ['69DAD710-2CE4-4E3C-B16C-21A1D49ABED3', 'Linux root (ARM)'],
  ['B921B045-1DF0-41C3-AF44-4C6F280D3FAE', 'Linux root (ARM-64)'],
  ['72EC70A6-CF74-40E6-BD49-4BDA08E8F224', 'Linux root (RISC-V-64)'],
  ['8484680C-9521-48C6-9C11-B0720656F69E', 'Linux /usr (x86-64)'],
  ['B0E01050-EE5F-4390-949A-9101B17104E9', 'Linux /usr (ARM-64)'],
  ['2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5', 'Linux root verity (x86-64)'],
  ['DF3300CE-D69F-4C92-978C-9BFB0F38D820', 'Linux root verity (ARM-64)'],
  ['77FF5F63-E7B6-4633-ACF4-1565B864C0E6', 'Linux /usr verity (x86-64)'],
  ['EBD0A0A2-B9E5-4433-87C0-68B6B72699C7', 'Microsoft basic data'],
  ['E3C9E316-0B5C-4DB8-817D-F92DF00215AE', 'Microsoft reserved'],
  ['DE94BBA4-06D1-4D40-A16A-BFD50179D6AC', 'Windows recovery environment'],
  ['5808C8AA-7E8F-42E0-85D2-E1E90434CFB3', 'Microsoft LDM metadata'],
  ['AF9B60A0-1431-4F62-BC68-3311714A69AD', 'Microsoft LDM data'],
  ['E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D', 'Microsoft Storage Spaces'],
  ['83BD6B9D-7F41-11DC-BE0B-001560B84F0F', 'FreeBSD boot'],
  ['516E7CB4-6ECF-11D6-8FF8-00022D09712B', 'FreeBSD data'],
  ['516E7CB5-6ECF-11D6-8FF8-00022D09712B', 'FreeBSD swap'],
  ['516E7CB6-6ECF-11D6-8FF8-00022D09712B', 'FreeBSD UFS'],
  ['516E7CBA-6ECF-11D6-8FF8-00022D09712B', 'FreeBSD ZFS'],
  ['824CC7A0-36A8-11E3-890A-952519AD3F61', 'OpenBSD data'],
  ['49F48D5A-B10E-11DC-B99B-0019D1879648', 'NetBSD FFS'],
  ['48465300-0000-11AA-AA11-00306543ECAC', 'Apple HFS/HFS+'],
  ['7C3457EF-0000-11AA-AA11-00306543ECAC', 'Apple APFS'],
  ['426F6F74-0000-11AA-AA11-00306543ECAC', 'Apple boot'],
  ['6A898CC3-1DD2-11B2-99A6-080020736631', 'Solaris /usr & Apple ZFS'],
  ['FE3A2A5D-4F32-41A7-B725-ACCC3285A309', 'ChromeOS kernel'],
  ['3CB8E202-3B7E-47DD-8A3C-7FF2A13CFCEC', 'ChromeOS root fs'],
  ['2E0A753D-9E48-43B0-8337-B15192CB1B5E', 'ChromeOS reserved'],
  ['5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6', 'Flatcar /usr'],
  ['C95DC21A-DF0E-4340-8D7B-26CBFA9A03E0', 'Flatcar /oem'],
  ['3884DD41-8582-4404-B9A8-E9B84F2DF50E', 'Flatcar root'],
  ['AA31E02A-400F-11DB-9590-000C2911D1B8', 'VMware VMFS'],
  ['9D275380-40AD-11DB-BF97-000C2911D1B8', 'VMware Diagnostic'],
]);

/** The name of an MBR type; undefined for one that is not known. */
export function mbrTypeName(type: number): string | undefined {
  return MBR_TYPES.get(type);
}

/** The name of a GPT type given as an upper-case GUID; undefined for one that is not known. */
export function gptTypeName(type: string): string | undefined {
  return GPT_TYPES.get(type);
}

/** The GPT types that MBR types correspond to, as gdisk(8) converts them; types that are not listed are Linux data. */
const MBR_TO_GPT: ReadonlyMap<number, string> = new Map([
  ...[0x01, 0x04, 0x06, 0x07, 0x0b, 0x0c, 0x0e, 0x11, 0x14, 0x16, 0x17, 0x1b, 0x1c, 0x1e].map((type): [number, string] => [
    type,
    'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7',
  ]),
  [0x27, 'DE94BBA4-06D1-4D40-A16A-BFD50179D6AC'],
  [0x39, 'C91818F9-8025-47AF-89D2-F030D7000C2C'],
  [0x41, '9E1A2D38-C612-4316-AA26-8B49521E5A8B'],
  [0x42, 'AF9B60A0-1431-4F62-BC68-3311714A69AD'],
  [0x82, GPT_LINUX_SWAP],
  [0x84, 'D3BFE2DE-3DAF-11DF-BA40-E3A556D89593'],
  [0x8e, 'E6D6D379-F507-44C2-A23C-238F2A3DF928'],
  [0xa0, '2568845D-2332-4675-BC39-8FA5A4748D15'],
  [0xa5, '516E7CB4-6ECF-11D6-8FF8-00022D09712B'],
  [0xa6, '824CC7A0-36A8-11E3-890A-952519AD3F61'],
  [0xa8, '55465300-0000-11AA-AA11-00306543ECAC'],
  [0xa9, '516E7CB4-6ECF-11D6-8FF8-00022D09712B'],
  [0xab, '426F6F74-0000-11AA-AA11-00306543ECAC'],
  [0xaf, '48465300-0000-11AA-AA11-00306543ECAC'],
  [0xbe, '6A82CB45-1DD2-11B2-99A6-080020736631'],
  [0xbf, '6A85CF4D-1DD2-11B2-99A6-080020736631'],
  [0xeb, '42465331-3BA3-10F1-802A-4861696B7521'],
  [0xef, GPT_EFI_SYSTEM],
  [0xfb, 'AA31E02A-400F-11DB-9590-000C2911D1B8'],
  [0xfc, '9D275380-40AD-11DB-BF97-000C2911D1B8'],
  [0xfd, 'A19D880F-05FC-4D3B-A006-743F0F84911E'],
]);
/** Empty entries, extended partitions, and what protects a GPT, correspond to nothing. */
const NO_GPT_TYPE: ReadonlySet<number> = new Set([0x00, 0x05, 0x0f, 0x85, 0xee]);

/** The GPT type that corresponds to an MBR type; undefined where none does. */
export function gptTypeOfMbr(type: number): string | undefined {
  return NO_GPT_TYPE.has(type) ? undefined : (MBR_TO_GPT.get(type) ?? GPT_LINUX_FILESYSTEM);
}
