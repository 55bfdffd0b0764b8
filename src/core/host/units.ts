/** Which service of systemd a process belongs to (cgroups(7): /proc/PID/cgroup). */

/** The last component of its path in a hierarchy of systemd's, where that is a service; else null. */
export function serviceOf(cgroup: string): string | null {
  // A container may show both hierarchies, and one of them empty.
  const paths = cgroup.matchAll(/^(?:0:|\d+:name=systemd):(.*)$/gm);
  const last = [...paths].map(([, path = '']) => path.split('/').at(-1) ?? '');
  return last.find((name) => name.endsWith('.service')) ?? null;
}

/** Whether only root could have put it into its service. */
export const isOfSystem = (cgroup: string): boolean =>
  /^(?:0:|\d+:name=systemd):\/system\.slice\//m.test(cgroup);

/** Whether it is the instance for what the directory is named after: `virtiofsd@vm1-store.service` for `vm1-store`. */
export function servesIn(service: string, directory: string): boolean {
  const instance = /^[^@]+@(.+)\.service$/.exec(service)?.[1];
  return instance !== undefined && (instance === directory || unescapeUnit(instance) === directory);
}

/** systemd-escape(1) */
const unescapeUnit = (name: string): string =>
  name.replace(/\\x([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
