/**
 * What went over the wire as a capture that Wireshark reads: pcapng, with the secrets of the connection in it. The addresses are those of
 * RFC 5737, for documentation; TCP has neither losses nor delays.
 */

import { concat, utf8 } from '../wire/bytes.ts';

/** Bytes in one direction, and when. */
export interface Passage {
  /** Whether the client has sent them. */
  readonly isFromClient: boolean;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** Types of blocks. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const DECRYPTION_SECRETS = 10;
/** Packets begin with their IP header. */
const LINKTYPE_RAW = 101;
/** The secrets are lines in NSS key log format. */
const TLS_KEY_LOG = 0x544c534b;

const CLIENT = { address: [192, 0, 2, 1], port: 49152 } as const;
const SERVER = { address: [192, 0, 2, 2], port: 443 } as const;
const FIN = 1;
const SYN = 2;
const PUSH = 8;
const ACK = 16;
/** The most bytes in one packet. */
const MAX_SEGMENT = 16384;

/** Returns a capture. `keylog` has lines in NSS key log format. */
export function pcapng(passages: readonly Passage[], keylog: readonly string[]): Uint8Array {
  const start = passages[0]?.time ?? 0;
  const end = passages.at(-1)?.time ?? start;
  const stream = new Stream();
  const secrets = utf8(keylog.map((line) => `${line}\n`).join(''));
  return concat(
    block(SECTION_HEADER, words(0x1a2b3c4d), halves(1, 0), words(0xffffffff, 0xffffffff)),
    block(INTERFACE, halves(LINKTYPE_RAW, 0), words(0)),
    ...(secrets.length > 0 ? [block(DECRYPTION_SECRETS, words(TLS_KEY_LOG, secrets.length), secrets)] : []),
    ...stream.open(start),
    ...passages.flatMap((passage) => stream.pass(passage)),
    ...stream.close(end),
  );
}

/** A connection over TCP, packet by packet. */
class Stream {
  /** The next sequence number of each side. */
  #client = 1;
  #server = 1;

  open(time: number): Uint8Array[] {
    const opening = [
      packet(time, true, { flags: SYN, sequence: 0, acknowledged: 0 }),
      packet(time, false, { flags: SYN | ACK, sequence: 0, acknowledged: 1 }),
      packet(time, true, { flags: ACK, sequence: 1, acknowledged: 1 }),
    ];
    return opening;
  }

  pass({ isFromClient, time, bytes }: Passage): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT) {
      const data = bytes.subarray(at, at + MAX_SEGMENT);
      packets.push(packet(time, isFromClient, { flags: PUSH | ACK, ...this.#numbers(isFromClient), data }));
      if (isFromClient) this.#client += data.length;
      else this.#server += data.length;
    }
    return packets;
  }

  close(time: number): Uint8Array[] {
    return [true, false].map((isFromClient) =>
      packet(time, isFromClient, { flags: FIN | ACK, ...this.#numbers(isFromClient) }),
    );
  }

  #numbers(isFromClient: boolean) {
    const [sequence, acknowledged] = isFromClient ? [this.#client, this.#server] : [this.#server, this.#client];
    return { sequence, acknowledged };
  }
}

interface Segment {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly data?: Uint8Array;
}

function packet(time: number, isFromClient: boolean, segment: Segment): Uint8Array {
  const [from, to] = isFromClient ? [CLIENT, SERVER] : [SERVER, CLIENT];
  const { flags, sequence, acknowledged, data = new Uint8Array(0) } = segment;
  const tcp = concat(
    big16(from.port, to.port),
    big32(sequence, acknowledged),
    big16(0x5000 | flags, 0xffff, 0, 0),
    data,
  );
  const addresses = Uint8Array.of(...from.address, ...to.address);
  put16(tcp, 16, checksum(concat(addresses, big16(6, tcp.length), tcp)));
  const ip = concat(big16(0x4500, 20 + tcp.length, 0, 0x4000, 0x4006, 0), addresses);
  put16(ip, 10, checksum(ip));
  const micros = 1000 * time;
  const stamp = words(Math.floor(micros / 2 ** 32), micros % 2 ** 32);
  const length = ip.length + tcp.length;
  return block(ENHANCED_PACKET, words(0), stamp, words(length, length), ip, tcp);
}

/** RFC 1071 */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += 256 * (bytes[i] ?? 0) + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** A block of pcapng: its length stands at both ends, and its body is padded to words. */
function block(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const padding = new Uint8Array((4 - (body.length % 4)) % 4);
  const length = words(body.length + padding.length + 12);
  return concat(words(type), length, body, padding, length);
}

/** Words of 32 bits, the least significant byte first. */
function words(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value, value >>> 8, value >>> 16, value >>> 24]));
}

function halves(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value, value >>> 8]));
}

/** The order of the network. */
function big16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >>> 8, value]));
}

function big32(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >>> 24, value >>> 16, value >>> 8, value]));
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
