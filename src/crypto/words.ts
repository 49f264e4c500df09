/** Big-endian words in byte arrays, as FIPS 180-4, FIPS 197 and SP 800-38D number them. */

/** Returns the four bytes from `at` on as a signed 32-bit word. The caller makes sure that they are there. */
export function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
