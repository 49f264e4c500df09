// Go's crypto/tls and what is shown beside a certificate.
// stapling client ADDRESS CAFILE: one connection in each version; prints the OCSP response and the timestamps in hexadecimal.
// stapling server CERT KEY RESPONSE TIMESTAMP: staples one of each; says ACCEPT and its address.

package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	run := client
	if os.Args[1] == "server" {
		run = server
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func client(args []string) error {
	pem, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := &tls.Config{ServerName: "localhost", RootCAs: roots, MinVersion: version, MaxVersion: version}
		connection, err := tls.DialWithDialer(&net.Dialer{Timeout: 8 * time.Second}, "tcp", args[0], config)
		if err != nil {
			return err
		}
		state := connection.ConnectionState()
		fmt.Printf("%x %x\n", state.OCSPResponse, state.SignedCertificateTimestamps)
		connection.Close()
	}
	return nil
}

func server(args []string) error {
	pair, err := tls.LoadX509KeyPair(args[0], args[1])
	if err != nil {
		return err
	}
	if pair.OCSPStaple, err = os.ReadFile(args[2]); err != nil {
		return err
	}
	timestamp, err := os.ReadFile(args[3])
	if err != nil {
		return err
	}
	pair.SignedCertificateTimestamps = [][]byte{timestamp}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		return err
	}
	fmt.Printf("ACCEPT %s\n", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			connection.SetDeadline(time.Now().Add(8 * time.Second))
			connection.(*tls.Conn).Handshake()
			connection.Read(make([]byte, 1))
		}()
	}
}
