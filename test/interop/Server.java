// Java's JSSE as a server: java Server CERT KEY CLIENTCAFILE (which may be empty) [PROTOCOLS of ALPN, with commas]
// It says where it listens, and to every request whether the connection has resumed, and whose certificate the client
// has. JSSE has no word for the first: a key manager is asked for a key in full handshakes only.

import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

public class Server {
  public static void main(String[] args) throws Exception {
    OneKey key = new OneKey(certificate(args[0]), privateKey(args[1]));
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(new KeyManager[] {key}, args[2].isEmpty() ? null : authority(args[2]), null);
    SSLServerSocket listener =
        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    listener.setEnabledProtocols(new String[] {"TLSv1.2", "TLSv1.3"});
    listener.setNeedClientAuth(!args[2].isEmpty());
    if (args.length > 3) {
      SSLParameters parameters = listener.getSSLParameters();
      parameters.setApplicationProtocols(args[3].split(","));
      listener.setSSLParameters(parameters);
    }
    System.out.println("ACCEPT 127.0.0.1:" + listener.getLocalPort());
    while (true) {
      try (SSLSocket socket = (SSLSocket) listener.accept()) {
        answer(socket, key);
      } catch (Exception error) {
        error.printStackTrace(); // the client's affair
      }
    }
  }

  /** One connection after another, so that the key that was asked for was asked for here. */
  private static void answer(SSLSocket socket, OneKey key) throws Exception {
    socket.setSoTimeout(8000);
    key.wasAsked = false;
    socket.startHandshake();
    String how = key.wasAsked ? "full" : "resumed";
    InputStream in = socket.getInputStream();
    for (int newlines = 0; newlines < 2; ) {
      int octet = in.read();
      if (octet < 0) return;
      if (octet != '\r') newlines = octet == '\n' ? newlines + 1 : 0;
    }
    String page = "page: " + how + ", " + clientOf(socket) + "\n";
    String head = "HTTP/1.0 200 OK\r\nContent-Length: " + page.length() + "\r\n\r\n";
    socket.getOutputStream().write((head + page).getBytes(StandardCharsets.US_ASCII));
  }

  private static String clientOf(SSLSocket socket) {
    try {
      return socket.getSession().getPeerPrincipal().getName().replaceFirst("^.*CN=([^,]*).*$", "$1");
    } catch (SSLPeerUnverifiedException none) {
      return "nobody";
    }
  }

  private static X509Certificate certificate(String file) throws Exception {
    try (InputStream in = new FileInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  private static PrivateKey privateKey(String file) throws Exception {
    String pem = Files.readString(Path.of(file)).replaceAll("-----[^-]*-----|\\s", "");
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
  }

  private static TrustManager[] authority(String file) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("authority", certificate(file));
    TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static final class OneKey extends X509ExtendedKeyManager {
    boolean wasAsked;
    private final X509Certificate certificate;
    private final PrivateKey key;

    OneKey(X509Certificate certificate, PrivateKey key) {
      this.certificate = certificate;
      this.key = key;
    }

    @Override
    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      return type.equals("EC") ? "server" : null;
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
      return new String[] {"server"};
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return new X509Certificate[] {certificate};
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      wasAsked = true;
      return key;
    }

    @Override
    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      return null;
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
      return null;
    }
  }
}
