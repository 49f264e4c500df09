/** Text of a peer's, for terminals and for reports. */

/**
 * Makes text safe for a terminal, and for any format: it is ASCII without control characters, and no longer than `most` characters. What
 * else there is becomes `\u001b`; what is too long ends in `...`.
 */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const start = text.length > most ? `${text.slice(0, most)}...` : text;
  return start.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
