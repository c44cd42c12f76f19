using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>All that a server said to a client that sent bytes on one connection.</summary>
/// <param name="Text">What came, with what may differ taken out.</param>
/// <param name="IsReset">Did it end with a reset?</param>
internal sealed partial record Conversation(string Text, bool IsReset)
{
    /// <summary>Sends the same to both ways; what comes back must be the same.</summary>
    public static async Task AssertSameAsync(int seed, IPEndPoint raw, IPEndPoint ordinary, IReadOnlyList<byte[]> pieces, bool isNarrow)
    {
        Task<Conversation> one = RunAsync(raw, pieces, isNarrow);
        Task<Conversation> other = RunAsync(ordinary, pieces, isNarrow);
        if (!(await one).IsSameAs(await other))
        {
            string sent = string.Join("¦", pieces.Select(Encoding.Latin1.GetString));
            Assert.Fail($"seed {seed}\n--- sent\n{sent}\n{(await one).Difference(await other)}");
        }
    }

    /// <summary>Sends the pieces, then no more; returns all that comes back, with what may differ taken out.</summary>
    private static async Task<Conversation> RunAsync(IPEndPoint server, IReadOnlyList<byte[]> pieces, bool isNarrow)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (isNarrow)
        {
            socket.ReceiveBufferSize = 2048;
        }

        await socket.ConnectAsync(server, deadline.Token);
        Task sending = SendAsync(socket, pieces, deadline.Token);
        bool isReset = false;
        using var answer = new MemoryStream();
        byte[] buffer = new byte[isNarrow ? 1500 : 64 << 10];
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(buffer, deadline.Token)) > 0)
            {
                answer.Write(buffer, 0, read);
            }
        }
        catch (SocketException)
        {
            // The server closed while there were bytes of ours that it had not read: some of its own may be lost.
            isReset = true;
        }

        await sending;
        return new Conversation(Varying().Replace(Encoding.Latin1.GetString(answer.ToArray()), "Date: *"), isReset);
    }

    private static async Task SendAsync(Socket socket, IReadOnlyList<byte[]> pieces, CancellationToken cancellationToken)
    {
        try
        {
            foreach (byte[] piece in pieces)
            {
                await socket.SendAsync(piece, SocketFlags.None, cancellationToken);
                await Task.Yield();
            }
        }
        catch (SocketException)
        {
            // The server closed after an error: it need not read the rest.
        }
    }

    [GeneratedRegex("Date: [^\r]*")]
    private static partial Regex Varying();

    private bool IsSameAs(Conversation other) =>
        Text == other.Text
        || (IsReset && other.Text.StartsWith(Text, StringComparison.Ordinal))
        || (other.IsReset && Text.StartsWith(other.Text, StringComparison.Ordinal));

    private string Difference(Conversation other)
    {
        int at = Text.AsSpan().CommonPrefixLength(other.Text);
        int from = Math.Max(0, at - 300);
        return $"--- lengths {Text.Length} and {other.Text.Length}, same up to {at}, reset {IsReset} and {other.IsReset}\n--- hit "
            + $"path\n{Cut(Text, from)}\n--- ordinary\n{Cut(other.Text, from)}";
    }

    private static string Cut(string text, int from) =>
        new([.. text.AsSpan(from, Math.Min(700, text.Length - from)).ToArray()
        .Select(c => c is '\r' or '\n' or (>= ' ' and < (char)127) ? c : '?')]);
}
