/** The numbers that the functions for Web Streams take, from both sides of each limit. */

import { fromMessagePort } from '../../src/web/message-port.ts';
import { requireMilliseconds } from '../../src/web/time-limit.ts';
import { atLeast, range, testLimits } from '../support/limits.ts';

describe('limits of the options for Web Streams', () => {
  testLimits({
    'milliseconds of a handshake': {
      ...range(0, 2 ** 31 - 1),
      attempt: (ms) => requireMilliseconds('handshakeTimeout', ms),
      error: 'handshakeTimeout is',
    },
    'bytes that wait of a port': {
      ...atLeast(0),
      attempt: (maxBuffered) => {
        const { port1 } = new MessageChannel();
        port1.close();
        fromMessagePort(port1 as unknown as Parameters<typeof fromMessagePort>[0], { maxBuffered });
      },
      error: 'maxBuffered is',
    },
  });
});
