"""A node that is alive by its probes, and lies or drips: fake_node.py ADDRESS CERTIFICATE AUTHORITY ID lie|drip"""
import socketserver, ssl, sys, time

ADDRESS, CERTIFICATE, AUTHORITY, ID, HOW = sys.argv[1:]
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(CERTIFICATE)
CONTEXT.load_verify_locations(AUTHORITY)
CONTEXT.verify_mode = ssl.CERT_REQUIRED
SAYS = f"Breakwater-Node: id={ID};site=default;protocol=1;weight=1;instance=fake;state=\r\n"


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            self.answer(CONTEXT.wrap_socket(self.request, server_side=True))
        except OSError:
            pass

    def answer(self, connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            path = head.split()[1].decode()
            if path == "/node/live":
                connection.sendall(f"HTTP/1.1 204 No Content\r\n{SAYS}\r\n".encode())
            elif HOW == "lie":
                connection.sendall(f"HTTP/1.1 200 OK\r\n{SAYS}Content-Length: 30000\r\n\r\n".encode() + b"x" * 30000)
            else:
                connection.sendall(f"HTTP/1.1 200 OK\r\n{SAYS}Content-Length: 30000\r\n\r\n".encode())
                for _ in range(60):
                    connection.sendall(b"x" * 500)
                    time.sleep(1)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server((ADDRESS, 3129), Handler).serve_forever()
