/** One spelling for each address, so that addresses can be compared as text. */

/**
 * Returns an address in the one spelling that it has here: IPv6 as eight groups in lower case, with its zone if it has one, and an IPv4
 * address that is mapped to IPv6 (RFC 4291 §2.5.5.2), as dual-stack sockets report it, as IPv4. Other texts are returned unchanged.
 */
export function canonicalAddress(address: string): string {
  const [, host = '', zone = ''] = /^\[?([0-9a-f:.]+)(%[^\]]*)?\]?$/i.exec(address) ?? [];
  const groups = groupsOf(host.replace(IPV4, groupsOfIpv4));
  if (groups.length !== 8 || !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return address;
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  const [high = 0, low = 0] = numbers.splice(6);
  if (numbers.join() === '0,0,0,0,0,65535') return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  return [...numbers, high, low].map(hex).join(':') + zone;
}

/** RFC 4291 §2.2: the groups between colons, with those that '::' stands for, at least one. */
function groupsOf(host: string): string[] {
  const [left = [], right, ...more] = host.split('::').map((part) => (part === '' ? [] : part.split(':')));
  if (right === undefined) return left;
  const missing = more.length > 0 ? 0 : 8 - left.length - right.length;
  return missing < 1 ? [] : [...left, ...new Array<string>(missing).fill('0'), ...right];
}

/** The last two groups may have the form of IPv4. */
const IPV4 = /:(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

function groupsOfIpv4(_: string, ...octets: readonly string[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
  return Math.max(a, b, c, d) > 255 ? ':x' : `:${hex(256 * a + b)}:${hex(256 * c + d)}`;
}

function hex(group: number): string {
  return group.toString(16);
}
