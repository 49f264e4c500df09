/** EncryptedExtensions: RFC 9846 §4.4.1. */

import { extensions, flag, type Infer, struct, uint8, uint16, vector } from '../../wire/codec.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { ProtocolNameList } from './client-hello.ts';
import { message } from './message.ts';

export const EncryptedExtensions = struct({
  extensions: extensions({
    supportedGroups: [ExtensionType.supported_groups, vector(2, 0xffff, uint16)],
    recordSizeLimit: [ExtensionType.record_size_limit, uint16],
    maxFragmentLength: [ExtensionType.max_fragment_length, uint8],
    serverName: [ExtensionType.server_name, flag],
    earlyData: [ExtensionType.early_data, flag],
    ticketRequest: [ExtensionType.ticket_request, uint8], // RFC 9149 §3: expected_count
    alpn: [ExtensionType.application_layer_protocol_negotiation, ProtocolNameList],
  }),
});
export type EncryptedExtensions = Infer<typeof EncryptedExtensions>;
export const encryptedExtensions = message('encrypted_extensions', EncryptedExtensions);
