/** ServerKeyExchange of an ECDHE suite: RFC 8422 §5.4, with a named curve; and of an ECDHE_PSK suite: RFC 5489 §2. */

import { type Infer, mapped, opaque, struct, uint8, uint16 } from '../../wire/codec.ts';
import { DecodeError } from '../../wire/reader.ts';
import { CertificateVerify } from './certificate-verify.ts';
import { message } from './message.ts';

const NAMED_CURVE = 3;

/** The only ECCurveType that RFC 8422 still has. */
const curveType = mapped(
  uint8,
  (value) => {
    if (value !== NAMED_CURVE) throw new DecodeError(`curve type ${value}`, 'illegal_parameter');
    return 'named_curve' as const;
  },
  () => NAMED_CURVE,
);

export const ServerECDHParams = struct({ curveType, namedCurve: uint16, point: opaque(1, 255) });
export type ServerECDHParams = Infer<typeof ServerECDHParams>;

export const ServerKeyExchange = struct({ params: ServerECDHParams, signed: CertificateVerify });
export type ServerKeyExchange = Infer<typeof ServerKeyExchange>;
export const serverKeyExchange = message('server_key_exchange', ServerKeyExchange);

export const ServerKeyExchangePsk = struct({ pskIdentityHint: opaque(0, 0xffff), params: ServerECDHParams });
export const serverKeyExchangePsk = message('server_key_exchange', ServerKeyExchangePsk);
