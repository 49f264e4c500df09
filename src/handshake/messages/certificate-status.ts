/** What comes beside a certificate: CertificateStatus (RFC 6066 §8) and SignedCertificateTimestampList (RFC 6962 §3.3). */

import { decode, mapped, opaque, rest, struct, uint8, vector } from '../../wire/codec.ts';
import { DecodeError } from '../../wire/reader.ts';
import { message } from './message.ts';

/** CertificateStatusType */
export const OCSP = 1;

const OCSPStatusRequest = struct({
  responderIdList: vector(0, 0xffff, opaque(1, 0xffff)),
  requestExtensions: opaque(0, 0xffff),
});

/** CertificateStatusRequest: whether it asks for an OCSP response. Its other kinds may have any content. */
export const CertificateStatusRequest = mapped(
  struct({ statusType: uint8, request: rest }),
  ({ statusType, request }) => {
    if (statusType === OCSP) decode(OCSPStatusRequest, request);
    return statusType === OCSP;
  },
  () => ({ statusType: OCSP, request: new Uint8Array(4) }),
);

/** A type that nobody can have asked for is illegal_parameter. */
const StatusType = mapped(
  uint8,
  (type) => {
    if (type !== OCSP) throw new DecodeError(`a certificate status of type ${type}`, 'illegal_parameter');
    return type;
  },
  (type) => type,
);

export const CertificateStatus = struct({ statusType: StatusType, response: opaque(1, 0xffffff) });
/** As long as a certificate message may be. */
export const certificateStatus = message('certificate_status', CertificateStatus, 65536);

/** The longest response, and the longest list, that we send: both fit into one certificate message, with a chain. */
export const MAX_RESPONSE = 49152;
export const MAX_TIMESTAMPS = 8192;

export const SignedCertificateTimestampList = vector(1, 0xffff, opaque(1, 0xffff));
