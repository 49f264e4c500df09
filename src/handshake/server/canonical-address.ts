/** One spelling for each address, so that addresses can be compared as text. */

/**
 * Returns an address in the one spelling that it has here: IPv6 as eight groups in lower case, with its zone if it has one, and an IPv4
 * address that is mapped to IPv6 (RFC 4291 §2.5.5.2), as dual-stack sockets report it, as IPv4. Other texts are returned unchanged.
 */
export function canonicalAddress(address: string): string {
  const [, host = '', zone = ''] = /^\[?([0-9a-f:.]+)(%[^\]]*)?\]?$/i.exec(address) ?? [];
  const groups = groupsOf(host);
  if (groups === undefined) return address;
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  return groups.map((group) => group.toString(16)).join(':') + zone;
}

/** RFC 4291 §2.2: the eight groups of an IPv6 address; `undefined` if it is none. */
function groupsOf(host: string): number[] | undefined {
  const [head = '', tail, ...more] = host.split('::');
  const left = partsOf(head);
  const right = tail === undefined ? [] : partsOf(tail);
  const missing = 8 - left.length - right.length;
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined;
  const groups = [...left, ...new Array<number>(missing).fill(0), ...right];
  return groups.every((group) => group >= 0 && group <= 0xffff) ? groups : undefined;
}

/** The groups between colons, NaN where there is none. The last may be two groups in the form of IPv4. */
function partsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (/^[0-9a-f]{1,4}$/i.test(part)) return [Number.parseInt(part, 16)];
    const octets = /^\d{1,3}(\.\d{1,3}){3}$/.test(part) && text.endsWith(part) ? part.split('.').map(Number) : [];
    const [a = Number.NaN, b = 0, c = 0, d = 0] = octets;
    return octets.every((octet) => octet <= 255) ? [256 * a + b, 256 * c + d] : [Number.NaN];
  });
}
