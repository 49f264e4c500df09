/** Faults of a tester's records that no message shows: a record that comes twice, between others, or instead of one. */

import type { Fault } from '../../engine/fault.ts';
import { concat } from '../../wire/bytes.ts';
import { recordHeader } from '../../wire/record.ts';
import { ContentType, ProtocolVersion } from '../../wire/registry.ts';
import { LayeredFault, type Seal } from '../interceptor.ts';
import { type ContentName, isNext, type Which } from '../which.ts';

/** Sends what `make` returns instead of a record: records under the keys in force, which `seal` makes, and bytes as they are. */
export function instead(
  of: ContentName,
  make: (content: Uint8Array, seal: Seal) => readonly Uint8Array[],
  which: Which = 1,
): Fault {
  return new LayeredFault(`instead of ${of}`, (inner) => {
    let count = 0;
    return {
      ...inner,
      sealing: (type, content, seal) => {
        if (type !== ContentType[of] || !isNext(which, ++count)) return inner.sealing(type, content, seal);
        return make(content, (kind, part) => concat(...inner.sealing(kind, part, seal)));
      },
    };
  });
}

/** Sends other records in front of one. */
export function inFrontOf(of: ContentName, make: (seal: Seal) => readonly Uint8Array[], which: Which = 1): Fault {
  return instead(of, (content, seal) => [...make(seal), seal(ContentType[of], content)], which);
}

/** A record in the clear. */
export function clearRecord(type: number, content: Uint8Array): Uint8Array {
  return concat(recordHeader(type, ProtocolVersion['TLSv1.2'], content.length), content);
}

/** A message in a record in the clear, as it is sent before ChangeCipherSpec. */
export function clearMessage(type: number, body: Uint8Array): Uint8Array {
  const header = Uint8Array.of(type, body.length >> 16, body.length >> 8, body.length);
  return clearRecord(ContentType.handshake, concat(header, body));
}
