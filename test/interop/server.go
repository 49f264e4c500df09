// Go's crypto/tls as a server: server CERT KEY GROUP CLIENTCAFILE [PROTOCOLS]
// GROUP is P-384, a number of IANA's or empty, CLIENTCAFILE may be empty, and PROTOCOLS are those of ALPN, with commas. It says where it listens, and to every request whether the
// connection has resumed, and whose certificate the client has. (It resumes by sealed tickets only.)

package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	// Built outside of a module, a program has the defaults of Go 1.20, which are without ML-KEM.
	os.Setenv("GODEBUG", "tlsmlkem=1,tlssecpmlkem=1")
	if err := serve(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(cert, key, group, authority string, protocols []string) error {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if group == "P-384" {
		config.CurvePreferences = []tls.CurveID{tls.CurveP384}
	} else if group != "" {
		id, err := strconv.ParseUint(group, 10, 16)
		if err != nil {
			return err
		}
		config.CurvePreferences = []tls.CurveID{tls.CurveID(id)}
	}
	for _, names := range protocols {
		config.NextProtos = strings.Split(names, ",")
	}
	if authority != "" {
		pem, err := os.ReadFile(authority)
		if err != nil {
			return err
		}
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(pem)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		return err
	}
	fmt.Printf("ACCEPT %s\n", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go answer(connection.(*tls.Conn))
	}
}

func answer(connection net.Conn) {
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(8 * time.Second))
	for lines := bufio.NewScanner(connection); lines.Scan() && lines.Text() != ""; {
	}
	state := connection.(*tls.Conn).ConnectionState()
	if !state.HandshakeComplete {
		return
	}
	how, client := "full", "nobody"
	if state.DidResume {
		how = "resumed"
	}
	if len(state.PeerCertificates) > 0 {
		client = state.PeerCertificates[0].Subject.CommonName
	}
	page := fmt.Sprintf("page: %s, %s\n", how, client)
	fmt.Fprintf(connection, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(page), page)
}
