// Go's crypto/tls as a TLS 1.3 client: go run client.go ADDRESS SERVERNAME CAFILE COUNT [GROUP]…
// GROUPs are numbers of IANA's, which Go ranks by itself; without any it has its own choice.
// COUNT connections one after another with one session cache. Each asks for a page and reads to the end, which is where
// crypto/tls finds the ticket. (In TLS 1.2 it resumes by ticket only, never by session id.)

package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	// Built outside of a module, a program has the defaults of Go 1.20, which are without ML-KEM.
	os.Setenv("GODEBUG", "tlsmlkem=1,tlssecpmlkem=1")
	if err := visit(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func visit(address, serverName, caFile, times string, groups []string) error {
	count, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{
		ServerName:         serverName,
		RootCAs:            roots,
		MinVersion:         tls.VersionTLS13,
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
	for _, group := range groups {
		id, err := strconv.ParseUint(group, 10, 16)
		if err != nil {
			return err
		}
		config.CurvePreferences = append(config.CurvePreferences, tls.CurveID(id))
	}
	for i := 0; i < count; i++ {
		if err := once(address, config); err != nil {
			return err
		}
	}
	return nil
}

func once(address string, config *tls.Config) error {
	dialer := &net.Dialer{Timeout: 8 * time.Second}
	connection, err := tls.DialWithDialer(dialer, "tcp", address, config)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(8 * time.Second))
	fmt.Fprintf(connection, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", config.ServerName)
	page, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	fmt.Printf("connection resumed=%t\n%s\n", connection.ConnectionState().DidResume, page)
	return nil
}
