/** The output of `--help`. */

export const GENERAL_HELP = `tls-resume: a TLS 1.2/1.3 server and client that resume sessions, in pure TypeScript

Usage: tls-resume <command> [flags]

Commands:
  serve        answer TLS clients, and tell of each whether it resumed and if not, why not
  connect      be a client, and tell whether the server has resumed, how, and if not, why not
  inspect      show what is in a stored session or in a ticket
  replay       run a recorded connection again, and explain it
  scenarios    put a catalogue of right and wrong messages to a client or a server, and judge what it makes of them
  probe        find out what a server does about sessions

Flags:
  -h, --help   this text; after a command, that of the command
  --version    the version of this program

Try: tls-resume serve        then, in another shell: curl -k https://localhost:8443/ https://localhost:8443/
`;

export const SERVE_HELP = `Usage: tls-resume serve [flags]

Answers TLS clients. To an HTTP GET it shows what was negotiated, and for every connection it prints one line: client,
version, cipher suite, group, and whether it was resumed (from what) or was a full handshake (why).

Where:
  --host ADDRESS        address or name to listen on (127.0.0.1)
  --port N              port to listen on; 0 takes a free one and says which (8443)

Certificates:
  --cert F --key F      certificate chain and private key, PEM; may be given again for a second pair, as one with ECDSA
                        and one with RSA: the first that fits the client is used. Without a pair: an ephemeral
                        self-signed certificate for localhost, or with --psk none
  --ocsp-response F     the OCSP response of the certificate, DER, for clients that ask for it; with several pairs one for each, in
                        the same order. Read once, and not checked
  --sct F               a signed certificate timestamp of the certificate, as its log has sent it; may be given again
  --psk F               the external PSKs in F, a line identity:hex for each, as for gnutls-serv. For TLS 1.2 name
                        TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 in --ciphers

What is spoken:
  --min-version V       1.2 or 1.3 (1.2)
  --max-version V       1.2 or 1.3 (1.3)
  --ciphers LIST        IANA names of cipher suites, preferred first, separated by commas (all)
  --groups LIST         of X25519MLKEM768, x25519, secp256r1, secp384r1, SecP256r1MLKEM768, preferred first (all; those with
                        ML-KEM by themselves from Node 24.7 on, else if they are named and @noble/post-quantum is installed)
  --alpn LIST           application protocols, preferred first (the extension is ignored)
  --psk-modes LIST      of psk_dhe_ke, psk_ke, preferred first (psk_dhe_ke)
  --record-size-limit N the records of clients that know record_size_limit may have N bytes, 64 to 16384 (16384)

What is resumed:
  --tickets MODE        stateful: the sessions are kept here; stateless: by the clients, in sealed tickets; off: nothing is
                        resumed (stateful)
  --ticket-keys P:F     the keys for sealed tickets, instead of one of its own; P says whose format the file F has:
                        tls-resume, openssl, node, apache, nginx or haproxy. May be given again: the first key seals, all
                        open. Sets --tickets stateless
  --id-context C        the session id context, text or hex:BYTES; a session made under another is not resumed (empty)
  --foreign             resume what other servers have sealed with these keys, too: by id context and host name alone
  --early-data N        accept N bytes of early data (0-RTT) of clients that resume. The session is taken for it; of sealed
                        tickets the hellos are recorded, and none is accepted for the first 21 seconds (none)
  --compat openssl-3    where OpenSSL 3's code and its manual pages differ, do as the code does (as the pages say)

What goes wrong, for tests of clients:
  --fault NAME          do wrong on purpose, on every connection; may be given again. A warning says so on stderr. MESSAGE is
                        as in the RFCs, such as server_hello; RECORD is handshake, application_data, alert or
                        change_cipher_spec; #2 behind either is the second, #each is all
    bad-finished, bad-signature, unsolicited-extension
                        a bit of Finished or of the signature is wrong; ServerHello has an extension that nobody asked for
    drop:MESSAGE, repeat:MESSAGE, swap:MESSAGE
                        it is left out, comes twice, or comes after the next one
    split:N, pad:N      the handshake in records of N bytes; TLS 1.3: application data with N bytes of padding
    corrupt:RECORD, wrong-key:RECORD, plaintext:RECORD
                        it does not open, is under another key, or is in the clear
    retry-with:GROUP, select-identity:N, resume-under:SUITE
                        TLS 1.3: asks for a share of GROUP, takes the PSK identity N (the first is 0), resumes under SUITE
    ticket-lifetime:SECONDS, ticket-age-add:N, ticket-nonce:HEX
                        TLS 1.3: what its tickets say
    delay:WHERE=MS, stall:WHERE, close:WHERE, close-notify:WHERE
                        after this MESSAGE or RECORD waits, sends nothing any more, or closes, without or with close_notify

Who computes:
  --crypto NAME         default; noble: @noble alone, the reference; fast: a quicker SHA-256 of our own; node: node:crypto, which
                        is OpenSSL (default)

What is served:
  --echo                send back what comes in, instead of HTTP

What is told:
  --json                one JSON object a line instead of text
  --verbose             also server name, ALPN, sessions and tickets made and removed, alerts, callbacks that failed, and
                        of each session that a client offered: its ticket's key, its age, every check and what came of it
  --keylog F            append the secrets of all connections to F, in NSS key log format, as Wireshark reads it
  --record DIR          write a recording of each connection to a file in DIR, for 'tls-resume replay'. With a capture of the
                        wire, it gives the plaintext; it has none itself
  --record-data         have the plaintext in the recordings, too
  -h, --help            this text

JSON: every object has an "event". The first is "listening" {host, port, versions, certificate}; then for each client
"connection" {id, remoteAddress, remotePort, version, cipherSuite, group, resumed, mechanism, pskMode, identityIndex,
reason, serverName, alpnProtocol, signatureScheme} or "handshake-failed" {id, remoteAddress, remotePort, alert, origin,
message}. What does not apply is null. With --verbose also "verdicts", "session-new", "session-removed",
"session-refused", "no-ticket", "early-data" {status, reason}, "alert", "callback-error" and "closed", each with the id of its
connection. "verdicts" has a list of that name, of {mechanism, identityIndex, accepted, reason, remedy, ticket {keyName,
format, phase, failure}, session, age, authAge, checks [{rule, passed}]}; ages are seconds.
"accept-failed" {message} is trouble of the system's.

Exit code: 0 after Ctrl-C or SIGTERM, 1 where it cannot listen, 2 for a mistake in the flags.
`;

export const CONNECT_HELP = `Usage: tls-resume connect host:port (--ca F | --pin SHA256 | --psk ID:HEX | --insecure) [flags]

Connects to a server, sends what is piped in, prints the answer, and closes: at once if nothing is piped in, and otherwise
when the server has closed or has been quiet for a second. Of each connection it says in one line, on stderr: version, cipher
suite, group, and whether it was resumed (how), used an external PSK, or was a full handshake (why).

Who judges the server (one of these is required):
  --ca F                its certificate must be issued under one of those in F, PEM, and be for the host; that one may be the
                        server's own. Revocation is not checked
  --pin SHA256          its key must have this digest (of SubjectPublicKeyInfo, hexadecimal or base64); may be given again
  --psk IDENTITY:HEX    it must have this external PSK; may be given again. A certificate in its place is for --ca or --pin, and
                        without them refused
  --psk-file F          the same for those in F, a line identity:hex for each
  --insecure            nobody: anybody between can read and answer

What is spoken:
  --sni NAME            the name to send, and that the certificate must be for (the host)
  --tls1_2, --tls1_3    this version alone (both)
  --ciphers LIST        IANA names of cipher suites, preferred first, separated by commas (all: that of the session, then in
                        the order of openssl s_client)
  --groups LIST         of X25519MLKEM768, x25519, secp256r1, secp384r1, SecP256r1MLKEM768, preferred first (all; those with
                        ML-KEM by themselves from Node 24.7 on, else if they are named and @noble/post-quantum is installed)
  --alpn LIST           application protocols, preferred first (none are offered)
  --psk-modes LIST      of psk_dhe_ke, psk_ke, preferred first (psk_dhe_ke)
  --record-size-limit N the records of servers that know record_size_limit may have N bytes, 64 to 16384 (16384)
  --status              ask for the OCSP response of the server's certificate, and print it: DER in base64. Nobody checks it
  --ct                  the same for signed certificate timestamps
  --cert F --key F      certificate chain and private key, PEM, for a server that asks for them
  --starttls P          smtp, imap, pop3 or ftp: turn to TLS as P does it

What is resumed:
  --session-in F        offer the session in F, DER or PEM, as 'openssl s_client -sess_out' writes it
  --session-out F       write the last session that the server hands out to F, PEM, as 'openssl s_client -sess_in' reads it;
                        who has it can read and be the session
  --early-data F        send what is in F with the hello, if there is a session (--session-in, --reconnect) that allows that
                        much; --psk allows none by itself. Who records it can send it again; what the server rejects is not
                        sent again. The line of each connection says whether it was accepted, rejected or not sent
  --reconnect N         then connect N times more, each time with the last session

What is told:
  --json                one JSON object a connection, on stdout, instead of the answer and the line
  --keylog F            append the secrets of all connections to F, in NSS key log format, as Wireshark reads it
  --trace               list every message with its fields, every record and callback, on stderr
  --record DIR          write a recording of each connection to a file in DIR, for 'tls-resume replay'. With a capture of the
                        wire, it gives the plaintext; it has none itself
  --record-data         have the plaintext in the recordings, too
  -h, --help            this text

JSON: {event: "connection", host, port, version, cipherSuite, group, resumed, mechanism, pskMode, identityIndex, reason,
serverName, alpnProtocol, signatureScheme, earlyData, ocspResponse, timestamps, sessions, truncated, answer};
"ocspResponse" and "timestamps" are base64, "sessions" counts those handed out, "answer" is text.
Or, at its end, {event: "unreachable", "handshake-failed" or "connection-failed", host, port, alert, origin, message}. What does
not apply is null.

Exit code: 0; 1 where the server cannot be reached, the connection fails, or a file holds no session or cannot be written; 2 for
a mistake in the flags, or a file that cannot be read. Ctrl-C with --trace or --record writes them first, and is a failure.
`;

export const INSPECT_HELP = `Usage: tls-resume inspect --session F
       tls-resume inspect --ticket F --ticket-keys P:F

Shows what is in a session or a ticket, field by field: also the session id context, by which servers that share tickets
know their own ('tls-resume serve --id-context'), and the scope that it may be resumed in.

What is shown:
  --session F           a session as a server stores it or 'openssl s_client -sess_out' writes it, DER or PEM; or as the client
                        of node:tls gives it out, which may name the host that it was talking to
  --ticket F            a ticket: its bytes, or a client's session that has one, in any of these forms
  --ticket-keys P:F     the keys to open it with; P says whose format the file F has: tls-resume, openssl, node, apache,
                        nginx or haproxy. May be given again

How:
  --show-secrets        the master secret or PSK as well: who has it can read and be the session
  --json                one JSON object instead of text; what is not there is null
  -h, --help            this text

Exit code: 0, 1 where the file holds no session, or the keys do not open the ticket; 2 for a mistake in the flags or a file
that cannot be read.
`;

export const REPLAY_HELP = `Usage: tls-resume replay FILE [flags]

Runs a connection again that 'serve --record' or 'connect --record' has written, without the keys of its host, and says whether
every message, byte and event is the same; if not, which field differs first.

Flags:
  --explain             what happened, call by call: messages with their fields, cut to a line each (--json has all of them),
                        callbacks, and the verdict on each session that was offered, with every rule
  --pcapng F            also write what went over the wire to F, as Wireshark reads it, with the secrets of the connection. What
                        is masked in the recording is zeros
  --json                one JSON object instead of text: {event: "replayed", side, calls, maskedRecords, facts}, and with
                        --explain the trace, a list of messages, records, events and callbacks
  -h, --help            this text

Exit code: 0; 1 where FILE holds no recording, something differs, or F cannot be written; 2 for a mistake in the flags, or if
FILE cannot be read.
`;

export const SCENARIOS_HELP = `Usage: tls-resume scenarios --client CMD [flags]
       tls-resume scenarios --server host:port [flags]

Puts a catalogue of scenarios around session resumption to a client or a server, and says where it does not do what the RFCs
ask for. --list shows them.

Who is under test:
  --server HOST:PORT    a server. Scenarios that flood it, replay, or try every bit are for loopback, or with --intrusive
  --client CMD          a client: one of openssl, gnutls, curl, nss, java, go, python, node; or a command that is started for each
                        connection. In it {host}, {port} and {name} stand for where to connect, {ca} for a file with the
                        certificate, {session} for one in which to keep a session, {request} for one with a request. What stands
                        in [brackets] is for connections that resume, and in [early-data: ...] for those with early data:
                        'openssl s_client -connect {host}:{port} -sess_out {session} [-sess_in {session}]'
  --driver D            how CMD speaks: stdin (it sends what it reads there), http (it makes a request itself), echo (it wants
                        back what it says), reconnect (one process makes connection after connection by itself), lines (one
                        process reads 'connect HOST PORT NAME' for each connection, and 'forget') (stdin)
  --sni NAME            the name to ask the server for (HOST, if it is a name)
  --request TEXT        what to say to the server; \\r and \\n are written so (an HTTP request)
  --time-limit S        seconds that each connection may take (5); a scenario has time for 12 that take so long
  --intrusive           also what floods, replays or flips bits, beyond loopback

Which, and what is expected:
  --only PART           those with PART in their ids alone. May be given again
  --known FILE          ids, one a line, or 'ID (TLSv1.3)', that are known to fail; one that passes nevertheless fails the run
  --list                the catalogue, and nothing else

What is told:
  --all                 what has passed, too
  --json                one JSON object: {version, results: [{id, title, clause, side, version, mechanism, severity, expected, got,
                        verdict, isKnown}]}; verdict is pass, finding, differs or not-run
  --junit F             also write JUnit's XML to F
  --html F              also write a page to F, with the trace of each connection, and its recording to save
  -h, --help            this text

Exit code: 0; 1 where the peer breaks a rule that binds it (severity must), completes no handshake, or passes what is known to fail;
2 for a mistake in the flags, a client that is not installed, or a file that cannot be read or written; 130 after Ctrl-C, which prints what there is so far.
`;

export const PROBE_HELP = `Usage: tls-resume probe host:port [flags]

Finds out what a server does about sessions: versions, ids and tickets, whose format these may have and under which keys they are, when
it resumes and when not, with a verdict for each clause that says how it should be.

It is gentle: one connection at a time, 4 begin in a second at most and 250 in all; on loopback 200 in a second. A few of them end by a
fatal alert or without close_notify, and ask for the name other.example. Whose key the tickets are under is tried on what has come,
without a connection.

  --sni NAME            the name to ask for (HOST, if it is a name)
  --starttls PROTOCOL   turn to TLS first, by smtp, imap, pop3 or ftp
  --request TEXT        what to say; \\r and \\n are written so (an HTTP request; with --starttls the word of farewell)
  --intrusive           also replay early data, and change tickets at each byte; up to 600 connections then. On loopback always
  --rate N              connections that begin in a second
  --connections N       the most in all; what needs more is not run
  --time-limit S        seconds that each connection may take (5)
  --before FILE         what --json has printed of this server before: has its key changed since then?
  --json                one JSON object: {version, host, port, serverName, time, connections, versions, tls11,
                        producers, keys, keyChange, results}
  --html F              also write a page to F, with the trace of each connection, and its recording to save
  -h, --help            this text

Exit code: 0; 1 where the server breaks a rule that binds it (severity must), its tickets are under a key that all know, or nobody is
there; 2 for a mistake in the flags, or if FILE cannot be read or F cannot be written; 130 after Ctrl-C, which prints what there is
so far.
`;

export const DEMO_HELP = `Usage: npm start [-- flags]

Starts the server with an ephemeral certificate, lets a client of this library connect and resume in both versions, shows
what happened, and goes on serving.

Flags:
  --port N     port to listen on (8443, or a free one where that is taken); 0 takes a free one
  -h, --help   this text
`;
