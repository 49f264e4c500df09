/** Python's module ssl as a client under test, for the driver `lines`. It is handed its session for each connection. */

export const PYTHON_CLIENT = `import socket, ssl, sys

sessions = {}


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def connect(host, port, name):
    with socket.create_connection((host, int(port)), 60) as plain:
        with tls.wrap_socket(plain, server_hostname=name, session=sessions.get(name)) as connection:
            connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            while connection.recv(4096):
                pass
            if connection.session is not None:
                sessions[name] = connection.session


tls = context()
for line in sys.stdin:
    command, *words = line.split()
    if command == "forget":
        sessions.clear()
        tls = context()
        continue
    try:
        connect(*words)
    except OSError as error:
        print(error, file=sys.stderr)
`;
