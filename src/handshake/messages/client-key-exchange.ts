/** ClientKeyExchange of an ECDHE suite: RFC 8422 §5.7; and of an ECDHE_PSK suite: RFC 5489 §2. */

import { type Infer, opaque, struct } from '../../wire/codec.ts';
import { message } from './message.ts';

export const ClientKeyExchange = struct({ point: opaque(1, 255) });
export type ClientKeyExchange = Infer<typeof ClientKeyExchange>;
export const clientKeyExchange = message('client_key_exchange', ClientKeyExchange);

export const ClientKeyExchangePsk = struct({ pskIdentity: opaque(0, 0xffff), point: opaque(1, 255) });
export const clientKeyExchangePsk = message('client_key_exchange', ClientKeyExchangePsk);
