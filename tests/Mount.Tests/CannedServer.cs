using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>Answers each request with the next of some texts, to the byte; after a text with <c>#</c> at its end it hangs up.</summary>
internal sealed class CannedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Queue<string> _answers;

    public CannedServer(params string[] answers)
    {
        _answers = new Queue<string>(answers);
        _listener.Start();
        _ = ServeAsync();
    }

    public int Connections { get; private set; }

    public List<string> Requests { get; } = [];

    public string Address => $"http://{_listener.LocalEndpoint}";

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (_answers.Count > 0)
            {
                using Socket socket = await _listener.AcceptSocketAsync();
                Connections++;
                byte[] buffer = new byte[4096];
                string answer = "";
                while (_answers.Count > 0 && !answer.EndsWith('#'))
                {
                    string request = "";
                    int n = 1;
                    while (n > 0 && !request.EndsWith("\r\n\r\n", StringComparison.Ordinal))
                    {
                        n = await socket.ReceiveAsync(buffer).InTimeAsync();
                        request += Encoding.ASCII.GetString(buffer, 0, n);
                    }

                    if (request.Length == 0)
                    {
                        break; // the client hung up
                    }

                    Requests.Add(request);
                    answer = _answers.Dequeue();
                    await socket.SendAsync(Encoding.ASCII.GetBytes(answer.TrimEnd('#')));
                }

                socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
