/** What a caller gave in place of what was wanted, for messages. Says the kind alone: the value may be a secret. */

/** Returns `undefined`, `null`, `a string`, `an array`, `a Map`: what follows "not". */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const name = typeof value === 'object' ? nameOfObject(value) : typeof value;
  return `${/^[aeiou](?!int)/i.test(name) ? 'an' : 'a'} ${name}`;
}

/** A Proxy may throw when it is looked at. */
function nameOfObject(value: object): string {
  try {
    if (Array.isArray(value)) return 'array';
    const { name } = value.constructor;
    return name === 'Object' ? 'object' : name;
  } catch {
    return 'object';
  }
}

/** @throws TypeError unless `value` is a Uint8Array, of this realm or another */
export function requireBytes(name: string, value: unknown, remedy = ''): void {
  if (ArrayBuffer.isView(value) && 'BYTES_PER_ELEMENT' in value && value.BYTES_PER_ELEMENT === 1) return;
  throw new TypeError(`${name}: a Uint8Array is wanted, not ${kindOf(value)}${remedy}`);
}
