// Java's JSSE as a TLS client: java Client.java HOST PORT SERVERNAME PROTOCOL COUNT
// COUNT connections one after another in one SSLContext, which holds the client's session cache. Each asks for a page
// and reads to the end: in TLS 1.3 the ticket is read with the answer. For every connection protocol and suite are
// printed, then the page.

import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

public class Client {
  public static void main(String[] args) throws Exception {
    String host = args[0];
    int port = Integer.parseInt(args[1]);
    int count = Integer.parseInt(args[4]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new TrustAll()}, null);
    for (int i = 0; i < count; i++) {
      try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(host, port)) {
        socket.setSoTimeout(8000);
        socket.setEnabledProtocols(new String[] {args[3]});
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(args[2])));
        socket.setSSLParameters(parameters);
        OutputStream out = socket.getOutputStream();
        out.write(("GET / HTTP/1.0\r\nHost: " + args[2] + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
        String page = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        SSLSession session = socket.getSession();
        System.out.println("connection " + session.getProtocol() + " " + session.getCipherSuite());
        System.out.println(page);
      }
    }
  }

  /** One instance for all connections: JSSE forgets a session that another trust manager has approved. */
  private static final class TrustAll extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
