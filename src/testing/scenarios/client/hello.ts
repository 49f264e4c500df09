/** What a client under test has said in its hellos. */

import {
  type Codec,
  decode,
  fixed,
  type Infer,
  opaque,
  optionalTail,
  struct,
  text,
  uint16,
  uint32,
  vector,
} from '../../../wire/codec.ts';
import { MESSAGE_HEADER } from '../../../wire/handshake-buffer.ts';
import { ExtensionType, type GroupName, isHybrid, NamedGroup } from '../../../wire/registry.ts';
import { NotRun, type Visit } from '../visit.ts';

const HelloFields = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(0, 255),
  cipherSuites: vector(0, 0xffff, uint16),
  legacyCompressionMethods: opaque(0, 255),
  extensions: optionalTail(vector(0, 0xffff, struct({ type: uint16, data: opaque(0, 0xffff) }))),
});

const Offered = struct({
  identities: vector(0, 0xffff, struct({ identity: opaque(0, 0xffff), obfuscatedTicketAge: uint32 })),
  binders: vector(0, 0xffff, opaque(0, 255)),
});

const Shares = vector(0, 0xffff, struct({ group: uint16, keyExchange: opaque(0, 0xffff) }));
const Groups = vector(0, 0xffff, uint16);
const Versions = vector(0, 255, uint16);
const Protocols = vector(0, 0xffff, text(0, 255));

/** A ClientHello, whatever is in it. */
export class Hello {
  readonly fields: Infer<typeof HelloFields>;

  /** `raw` has the header of the message. @throws NotRun for what cannot be read */
  constructor(raw: Uint8Array) {
    try {
      this.fields = decode(HelloFields, raw, MESSAGE_HEADER);
    } catch {
      throw new NotRun('the ClientHello cannot be read');
    }
  }

  /** The numbers of its extensions, in order. */
  get types(): readonly number[] {
    return (this.fields.extensions ?? []).map(({ type }) => type);
  }

  has(type: keyof typeof ExtensionType): boolean {
    return this.types.includes(ExtensionType[type]);
  }

  data(type: keyof typeof ExtensionType): Uint8Array | undefined {
    return this.fields.extensions?.find((one) => one.type === ExtensionType[type])?.data;
  }

  /** @throws NotRun for what is no such thing */
  #read<T>(type: keyof typeof ExtensionType, codec: Codec<T>): T | undefined {
    const data = this.data(type);
    try {
      return data && decode(codec, data);
    } catch {
      throw new NotRun(`the ${type} of the ClientHello cannot be read`);
    }
  }

  get psks(): Infer<typeof Offered>['identities'] {
    return this.#read('pre_shared_key', Offered)?.identities ?? [];
  }

  get groups(): readonly number[] {
    return this.#read('supported_groups', Groups) ?? [];
  }

  /** The groups of its key shares. */
  get shares(): readonly number[] {
    return this.#read('key_share', Shares)?.map(({ group }) => group) ?? [];
  }

  get versions(): readonly number[] {
    return this.#read('supported_versions', Versions) ?? [];
  }

  /** The application protocols. */
  get protocols(): readonly string[] {
    return this.#read('application_layer_protocol_negotiation', Protocols) ?? [];
  }

  /** The PSK key exchange modes. */
  get modes(): readonly number[] {
    return [...(this.data('psk_key_exchange_modes') ?? [])].slice(1);
  }
}

/** Returns the first hello of a connection, or the second. @throws NotRun if it has not come */
export function helloOf(visit: Visit, number: 1 | 2 = 1): Hello {
  const raw = visit.received('client_hello')[number - 1]?.raw;
  if (raw === undefined) throw new NotRun(number === 1 ? 'no ClientHello has come' : 'no second ClientHello has come');
  return new Hello(raw);
}

/** Returns a connection of whose hello the scenario says something. @throws NotRun with `why` if it does not fit */
export function requireHello(visit: Visit, fits: (hello: Hello) => boolean, why: string): Visit {
  if (!fits(helloOf(visit))) throw new NotRun(why);
  return visit;
}

/** Returns a group that a server can ask for by a HelloRetryRequest. @throws NotRun if there is none */
export function groupWithoutShare({ groups, shares }: Hello): GroupName {
  const names = (Object.keys(NamedGroup) as GroupName[]).filter((name) => !isHybrid(name));
  const group = names.find((name) => groups.includes(NamedGroup[name]) && !shares.includes(NamedGroup[name]));
  if (group === undefined) throw new NotRun('the client sends a share of each group that it offers');
  return group;
}
