/** The constants of OpenSSL. Those of session cache modes lack the prefix SSL_. */

/** SSL_CTX_set_session_cache_mode(3) */
export const SESS_CACHE_OFF = 0x0000;
export const SESS_CACHE_CLIENT = 0x0001;
export const SESS_CACHE_SERVER = 0x0002;
export const SESS_CACHE_BOTH = SESS_CACHE_CLIENT | SESS_CACHE_SERVER;
export const SESS_CACHE_NO_AUTO_CLEAR = 0x0080;
export const SESS_CACHE_NO_INTERNAL_LOOKUP = 0x0100;
export const SESS_CACHE_NO_INTERNAL_STORE = 0x0200;
export const SESS_CACHE_NO_INTERNAL = SESS_CACHE_NO_INTERNAL_LOOKUP | SESS_CACHE_NO_INTERNAL_STORE;
export const SESS_CACHE_UPDATE_TIME = 0x0400;

/** SSL_CTX_sess_set_cache_size(3) */
export const SSL_SESSION_CACHE_MAX_SIZE_DEFAULT = 20480;
/** SSL_CTX_set_generate_session_id(3) */
export const SSL_MAX_SSL_SESSION_ID_LENGTH = 32;
/** SSL_CTX_set_session_id_context(3) */
export const SSL_MAX_SID_CTX_LENGTH = 32;

/** SSL_set_shutdown(3) */
export const SSL_SENT_SHUTDOWN = 1;
export const SSL_RECEIVED_SHUTDOWN = 2;

/** SSL_read_early_data(3) */
export const SSL_READ_EARLY_DATA_ERROR = 0;
export const SSL_READ_EARLY_DATA_SUCCESS = 1;
export const SSL_READ_EARLY_DATA_FINISH = 2;

/** SSL_get_early_data_status(3) */
export const SSL_EARLY_DATA_NOT_SENT = 0;
export const SSL_EARLY_DATA_REJECTED = 1;
export const SSL_EARLY_DATA_ACCEPTED = 2;

/** SSL_CTX_set_verify(3). CLIENT_ONCE has no effect, as there is no renegotiation. */
export const SSL_VERIFY_NONE = 0;
export const SSL_VERIFY_PEER = 1;
export const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;
export const SSL_VERIFY_CLIENT_ONCE = 4;

/** SSL_CTX_set_options(3): the options that have a meaning here. */
export const SSL_OP_IGNORE_UNEXPECTED_EOF = 0x80;
export const SSL_OP_ALLOW_NO_DHE_KEX = 0x400;
export const SSL_OP_NO_TICKET = 0x4000;
/** Refused: early data has to be protected against replay. See {@link SslContext.setMaxEarlyData}. */
export const SSL_OP_NO_ANTI_REPLAY = 0x01000000;
export const SSL_OP_NO_TLSv1_2 = 0x08000000;
export const SSL_OP_NO_TLSv1_3 = 0x20000000;

/** SSL_CTX_set_session_ticket_cb(3): the status passed to the decrypt callback, which is one of the last four. */
export const SSL_TICKET_FATAL_ERR_MALLOC = 0;
export const SSL_TICKET_FATAL_ERR_OTHER = 1;
export const SSL_TICKET_NONE = 2;
export const SSL_TICKET_EMPTY = 3;
export const SSL_TICKET_NO_DECRYPT = 4;
export const SSL_TICKET_SUCCESS = 5;
export const SSL_TICKET_SUCCESS_RENEW = 6;

/** SSL_CTX_set_session_ticket_cb(3): the return values of the decrypt callback. */
export const SSL_TICKET_RETURN_ABORT = 0;
export const SSL_TICKET_RETURN_IGNORE = 1;
export const SSL_TICKET_RETURN_IGNORE_RENEW = 2;
export const SSL_TICKET_RETURN_USE = 3;
export const SSL_TICKET_RETURN_USE_RENEW = 4;
