/** IANA's numbers under the names of the RFCs. */

/** Returns the name of a number for error messages, or the number in hexadecimal if it is unknown. */
export function nameOf(registry: Readonly<Record<string, number>>, value: number): string {
  for (const [name, number] of Object.entries(registry)) if (number === value) return name;
  return `0x${value.toString(16).padStart(4, '0')}`;
}

/** RFC 9846 §5.1 */
export const ContentType = {
  change_cipher_spec: 20,
  alert: 21,
  handshake: 22,
  application_data: 23,
} as const;

/** RFC 9846 §4, RFC 5246 §7.4 */
export const HandshakeType = {
  hello_request: 0,
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  server_key_exchange: 12,
  certificate_request: 13,
  server_hello_done: 14,
  certificate_verify: 15,
  client_key_exchange: 16,
  finished: 20,
  certificate_status: 22,
  key_update: 24,
  message_hash: 254,
} as const;

/** RFC 9846 §4.2.2, §4.3.1 */
export const ProtocolVersion = {
  SSLv3: 0x0300,
  'TLSv1.0': 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
} as const;

/** RFC 9846 §4.3, and the extensions of RFC 5077, 5746, 6066, 6962, 7301, 7627, 8422 and 8449. */
export const ExtensionType = {
  server_name: 0,
  max_fragment_length: 1,
  status_request: 5,
  supported_groups: 10,
  ec_point_formats: 11,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  signed_certificate_timestamp: 18,
  padding: 21,
  extended_master_secret: 23,
  record_size_limit: 28,
  session_ticket: 35,
  ticket_request: 58,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  cookie: 44,
  psk_key_exchange_modes: 45,
  certificate_authorities: 47,
  signature_algorithms_cert: 50,
  key_share: 51,
  encrypted_client_hello: 0xfe0d,
  renegotiation_info: 0xff01,
} as const;

/** RFC 9846 Appendix B.4, RFC 5289, RFC 7905; and the two signalling values of RFC 5746 and RFC 7507. */
export const CipherSuite = {
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV: 0x00ff,
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_FALLBACK_SCSV: 0x5600,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
  TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256: 0xccac,
} as const;

/** RFC 9846 §4.3.7 and draft-ietf-tls-ecdhe-mlkem, in the default order of preference. */
export const NamedGroup = {
  X25519MLKEM768: 4588,
  x25519: 29,
  secp256r1: 23,
  secp384r1: 24,
  SecP256r1MLKEM768: 4587,
} as const;

/** Reports whether a group is a hybrid one, of ML-KEM and a curve. TLS 1.2 has none. */
export function isHybrid(group: GroupName): group is HybridGroupName {
  return NamedGroup[group] > 4586;
}

/** RFC 9846 §4.3.3. In TLS 1.2 the ECDSA schemes name a hash and no curve. */
export const SignatureScheme = {
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
} as const;

/** RFC 9846 §4.3.9 */
export const PskKeyExchangeMode = {
  psk_ke: 0,
  psk_dhe_ke: 1,
} as const;

/** RFC 9846 §6, RFC 5246 §7.2, RFC 7507 */
export const AlertDescription = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  decryption_failed_RESERVED: 21,
  record_overflow: 22,
  decompression_failure: 30,
  handshake_failure: 40,
  no_certificate_RESERVED: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  export_restriction_RESERVED: 60,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  certificate_unobtainable: 111,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  bad_certificate_hash_value: 114,
  unknown_psk_identity: 115,
  certificate_required: 116,
  general_error: 117,
  no_application_protocol: 120,
} as const;

export const AlertLevel = { warning: 1, fatal: 2 } as const;

/** IANA's names of the alerts (RFC 9846 §6). */
export type AlertName = keyof typeof AlertDescription;
/** IANA's names of the cipher suites that this library has. */
export type CipherSuiteName = Exclude<
  keyof typeof CipherSuite,
  'TLS_EMPTY_RENEGOTIATION_INFO_SCSV' | 'TLS_FALLBACK_SCSV'
>;
/** IANA's names of the groups that this library may have: a provider need not have all (RFC 9846 §4.3.7). */
export type GroupName = keyof typeof NamedGroup;
/** IANA's names of the groups of ML-KEM-768 and a curve (draft-ietf-tls-ecdhe-mlkem). */
export type HybridGroupName = 'X25519MLKEM768' | 'SecP256r1MLKEM768';
/** IANA's names of the groups that are curves. */
export type CurveName = Exclude<GroupName, HybridGroupName>;
/** IANA's names of the signature schemes (RFC 9846 §4.3.3). */
export type SignatureSchemeName = keyof typeof SignatureScheme;
/** IANA's names of the PSK key exchange modes (RFC 9846 §4.3.9). */
export type PskMode = keyof typeof PskKeyExchangeMode;
/** The versions that this library speaks. */
export type Version = 'TLSv1.2' | 'TLSv1.3';
