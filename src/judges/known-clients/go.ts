/** Go's crypto/tls as a client under test, for the driver `lines`. Its cache chooses what it offers. */

export const GO_CLIENT = `package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

func connect(host, port, name string, cache tls.ClientSessionCache) error {
	config := &tls.Config{ServerName: name, InsecureSkipVerify: true, ClientSessionCache: cache}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	connection, err := tls.DialWithDialer(dialer, "tcp", net.JoinHostPort(host, port), config)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := io.WriteString(connection, "GET / HTTP/1.0\\r\\n\\r\\n"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, connection)
	return err
}

func main() {
	cache := tls.NewLRUClientSessionCache(8)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if words[0] == "forget" {
			cache = tls.NewLRUClientSessionCache(8)
		} else if err := connect(words[1], words[2], words[3], cache); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}
`;
