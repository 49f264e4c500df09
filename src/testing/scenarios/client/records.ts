/** What a tester sends otherwise in single records, beside the faults that everybody has. */

import type { Fault } from '../../../engine/fault.ts';
import { ContentType, HandshakeType } from '../../../wire/registry.ts';
import { LayeredFault } from '../../interceptor.ts';

/** Sends one more record, under the first keys that there are, before all other records under them. */
export function firstProtected(type: keyof typeof ContentType, content: Uint8Array): Fault {
  return new LayeredFault(`${type} before all that is protected`, (inner) => {
    let isDue = false;
    let isDone = false;
    return {
      ...inner,
      rekeyed: (direction) => {
        isDue ||= direction === 'writing';
        inner.rekeyed(direction);
      },
      sealing: (of, piece, seal) => {
        if (!isDue || isDone) return inner.sealing(of, piece, seal);
        isDone = true;
        return [...inner.sealing(ContentType[type], content, seal), ...inner.sealing(of, piece, seal)];
      },
    };
  });
}

/** Sends other content in the place of each alert: its close_notify, if nothing else is wrong. */
export function alertInstead(content: Uint8Array): Fault {
  return new LayeredFault('another alert', (inner) => ({
    ...inner,
    sealing: (type, piece, seal) => inner.sealing(type, type === ContentType.alert ? content : piece, seal),
  }));
}

/** Sends a record of data in the middle of the first ticket. */
export function dataInTicket(data: Uint8Array): Fault {
  return new LayeredFault('data inside a ticket', (inner) => {
    let isDone = false;
    return {
      ...inner,
      sealing: (type, piece, seal) => {
        const isTicket = type === ContentType.handshake && piece[0] === HandshakeType.new_session_ticket;
        if (!isTicket || isDone) return inner.sealing(type, piece, seal);
        isDone = true;
        return [
          ...inner.sealing(type, piece.subarray(0, 10), seal),
          ...inner.sealing(ContentType.application_data, data, seal),
          ...inner.sealing(type, piece.subarray(10), seal),
        ];
      },
    };
  });
}
