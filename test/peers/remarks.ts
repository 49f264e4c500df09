/** What is said of results besides themselves. */

import { OUR_CLIENT_NAME, ourServerName } from './ours.ts';
import type { Remarks } from './page.ts';

const ONE_USE_IS_ASKED_FOR =
  'RFC 9846 Appendix C.4 asks clients to use a ticket once. A server may take one again, and some clients count on it: `tickets: { singleUse: true }` takes it once.';

const NO_CERTIFICATE = 'It serves clients that have none; the tests of the catalogue ask it with `clientAuth`.';

export const REMARKS: Remarks = {
  // Questions that are still to be put to those who make the peer, and what it has answered before it could see the fault.
  unsettled: {
    'gnutls-serv': [
      'server/retry/psk-dropped',
      'server/early-data/second-identity',
      'server/early-data/another-protocol',
      'server/early-data/another-suite',
    ],
    'Java JSSE': ['client/psk/encrypted-extensions-missing'],
    nginx: ['server/early-data/another-suite', 'server/early-data/too-much'],
  },
  unsteady: {
    'Python ssl': { 'client/psk/ticket-with-data-inside': 'by chance unexpected_message, or full handshake' },
    'Java JSSE': {
      'server/psk/groups-absent': 'by chance internal_error, or differs: it selects psk_ke, which was not offered',
    },
  },
  explained: {
    [OUR_CLIENT_NAME]: {
      'the client does not offer a share beside psk_ke alone':
        'It offers psk_dhe_ke unless `pskModes` says otherwise; the tests of the catalogue ask it with that option.',
      'it asks for tickets': 'The scenario is for a client that does not; without `ticketRequest` it passes.',
      'the client states no limit':
        '`recordSizeLimit` is not set, as other scenarios need longer records; the tests of the catalogue ask it with that option.',
      'the client does not offer both':
        '`recordSizeLimit` and `maxFragmentLength` are not set, for the same reason; the tests of the catalogue ask it with both.',
      'the client asks for none': '`maxFragmentLength` is not set, likewise.',
      'the client does not ask for max_fragment_length': '`maxFragmentLength` is not set, likewise.',
    },
    [ourServerName('stateful')]: {
      'server/tickets/used-twice': ONE_USE_IS_ASKED_FOR,
      'it asks for no certificate': NO_CERTIFICATE,
      'the server hands out no ticket':
        'It has its sessions with itself, and those of TLS 1.2 are resumed by their ids. It is asked as a stateless one, below.',
      'the session of TLS 1.2 has none': 'Likewise: there is no ticket of TLS 1.2 that could be offered in TLS 1.3.',
    },
    [ourServerName('stateless')]: {
      'server/tickets/used-twice': ONE_USE_IS_ASKED_FOR,
      'server/tickets/after-alert-of-client':
        'A ticket that its client holds cannot be taken back. RFC 9846 §6.2 asks to forget the secrets of the connection that has failed; those of a ticket are others.',
      'it asks for no certificate': NO_CERTIFICATE,
      'the ticket is longer than an id':
        'A sealed ticket does not fit into a session id, so that nobody can offer it there.',
      'the server does not renew its tickets':
        'It does so if `onDecrypt` says so, or when its keys have been rotated; the tests of the catalogue ask it with that callback.',
    },
  },
};
