/** What a client looks for in a ServerHello before it knows what it is: RFC 9846 §4.2.3, §4.3.1. A server does not have this file. */

import { fromHex } from '../../wire/bytes.ts';
import { extensions, type Infer, mapped, optionalTail, struct, uint16 } from '../../wire/codec.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { message } from './message.ts';
import { helloFields } from './server-hello.ts';

/** §4.2.3: the same for TLS 1.1 and below. */
export const DOWNGRADE_TO_TLS11: Uint8Array = fromHex('444f574e47524400');

/** A ServerHello or HelloRetryRequest before it is known which it is, and of which version: only the extension that decides is decoded. */
export const undecidedServerHello = message(
  'server_hello',
  struct({
    ...helloFields,
    extensions: mapped(
      optionalTail(extensions({ supportedVersions: [ExtensionType.supported_versions, uint16] })),
      (value) => value ?? {},
      (value) => value,
    ),
  }),
);
export type UndecidedServerHello = Infer<typeof undecidedServerHello.body>;
