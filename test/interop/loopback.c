/*
 * For servers that listen on every address, and have no option against it: with LD_PRELOAD they listen on loopback. A socket of both
 * families listens on that of IPv4.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int bind(int socket, const struct sockaddr *address, socklen_t length) {
  int (*next)(int, const struct sockaddr *, socklen_t) =
      (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
  struct sockaddr_storage changed = {0};
  if (length > sizeof changed) return next(socket, address, length);
  memcpy(&changed, address, length);
  if (address->sa_family == AF_INET) ((struct sockaddr_in *)&changed)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (address->sa_family == AF_INET6) {
    int only = 1;
    socklen_t size = sizeof only;
    getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size);
    struct in6_addr *place = &((struct sockaddr_in6 *)&changed)->sin6_addr;
    if (only) *place = in6addr_loopback;
    else inet_pton(AF_INET6, "::ffff:127.0.0.1", place);
  }
  return next(socket, (struct sockaddr *)&changed, length);
}
