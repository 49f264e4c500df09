/*
 * A server of OpenSSL's that is given ticket keys, for the tests: `ticket_server CERT KEY TICKET_KEYS ID_CONTEXT`.
 * TICKET_KEYS is a file of 80 bytes, as SSL_CTX_set_tlsext_ticket_keys(3) wants them. It listens on a free port of
 * 127.0.0.1, says which, and answers each connection, one after the other, with whether it was resumed.
 */

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICKET_KEYS_LENGTH = 80 };

static void require(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s has failed\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void load_ticket_keys(SSL_CTX *context, const char *path)
{
    unsigned char keys[TICKET_KEYS_LENGTH];
    FILE *file = fopen(path, "rb");

    require(file != NULL, path);
    require(fread(keys, 1, sizeof keys, file) == sizeof keys, path);
    fclose(file);
    require(SSL_CTX_set_tlsext_ticket_keys(context, keys, sizeof keys) == 1, "SSL_CTX_set_tlsext_ticket_keys");
}

static SSL_CTX *make_context(char **arguments)
{
    const char *id_context = arguments[4];
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    require(context != NULL, "SSL_CTX_new");
    require(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION), "SSL_CTX_set_min_proto_version");
    require(SSL_CTX_use_certificate_chain_file(context, arguments[1]) == 1, arguments[1]);
    require(SSL_CTX_use_PrivateKey_file(context, arguments[2], SSL_FILETYPE_PEM) == 1, arguments[2]);
    load_ticket_keys(context, arguments[3]);
    require(SSL_CTX_set_session_id_context(context, (const unsigned char *)id_context, strlen(id_context)),
            "SSL_CTX_set_session_id_context");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(listener >= 0, "socket");
    require(bind(listener, (struct sockaddr *)&address, length) == 0, "bind");
    require(listen(listener, 8) == 0, "listen");
    require(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    printf("ACCEPT 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

/* Reads a request to its empty line, answers it, and says close_notify. */
static void answer(SSL *ssl)
{
    char request[8192];
    char response[256];
    const char *page = SSL_session_reused(ssl) ? "page: resumed\n" : "page: full\n";
    size_t used = 0;
    int count;

    do {
        count = SSL_read(ssl, request + used, (int)(sizeof request - 1 - used));
        if (count <= 0)
            return;
        used += (size_t)count;
        request[used] = '\0';
    } while (strstr(request, "\r\n\r\n") == NULL && used < sizeof request - 1);
    count = snprintf(response, sizeof response,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     strlen(page), page);
    SSL_write(ssl, response, count);
    SSL_shutdown(ssl);
}

int main(int count, char **arguments)
{
    SSL_CTX *context;
    int listener;

    if (count != 5) {
        fprintf(stderr, "usage: ticket_server CERT KEY TICKET_KEYS ID_CONTEXT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    context = make_context(arguments);
    listener = listen_on_loopback();
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        SSL *ssl = SSL_new(context);

        require(connection >= 0 && ssl != NULL && SSL_set_fd(ssl, connection), "accept");
        if (SSL_accept(ssl) == 1)
            answer(ssl);
        ERR_clear_error();
        SSL_free(ssl);
        shutdown(connection, SHUT_WR);
        close(connection);
    }
}
