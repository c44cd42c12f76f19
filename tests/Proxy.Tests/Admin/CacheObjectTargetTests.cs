using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Tests.Admin;

/// <summary>The first line of a connection, as whoever reads it sees it: rewritten when it is one of squid's old scheme.</summary>
public sealed class CacheObjectTargetTests
{
    private const string Scheme = "GET cache_object://";

    [Theory]
    [InlineData("h/info HTTP/1.0\r\nX: y\r\n\r\n", "info", "X: y\r\n\r\n")]
    [InlineData("10.0.0.1:3128/info@secret HTTP/1.0\r\n\r\n", "info", "\r\n")]
    [InlineData("h/info?x HTTP/1.0\r\n\r\n", "info", "\r\n")]
    [InlineData("/info HTTP/1.0\r\n\r\n", "info", "\r\n")]          // no host
    [InlineData("h HTTP/1.0\r\n\r\n", "", "\r\n")]
    [InlineData("h/ HTTP/1.0\r\n\r\n", "", "\r\n")]
    [InlineData("\r\n", "", "")]
    [InlineData("h/info\n\nmore", "info", "\nmore")]
    public async Task Line_OfTheOldScheme_IsThatOfTheNewPath(string behind, string page, string rest)
    {
        foreach (int step in (int[])[1, 7, 1000])
        {
            Assert.Equal($"GET /squid-internal-mgr/{page} HTTP/1.0\r\n{rest}", await SeenAsync(Scheme + behind, step));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("GE")]
    [InlineData(Scheme)]
    [InlineData(Scheme + "h/info HTTP/1.0")]                            // it never ends
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("GET cache_objects://h/info HTTP/1.0\r\n\r\n")]
    [InlineData("get cache_object://h/info HTTP/1.0\r\n\r\n")]
    public async Task Line_OfAnythingElse_IsAsItCame(string text)
    {
        foreach (int step in (int[])[1, 7, 1000])
        {
            Assert.Equal(text, await SeenAsync(text, step));
        }
    }

    /// <summary>With its line feed a line has 1,024 bytes at most.</summary>
    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public async Task Line_OfTheOldScheme_HasALongest(int length, bool isRewritten)
    {
        string line = (Scheme + "h/").PadRight(length - 2, 'x') + "\r\n";
        Assert.Equal(length, line.Length);

        Assert.Equal(isRewritten ? $"GET /squid-internal-mgr/{line[21..^2]} HTTP/1.0\r\n" : line, await SeenAsync(line, 100));
    }

    private static async Task<string> SeenAsync(string text, int step)
    {
        var input = new Pipe();
        var output = new Pipe();
        var transport = new Duplex(input.Reader, output.Writer);
        await using var connection = new DefaultConnectionContext("c", transport, transport);
        string seen = "";
        Task serving = CacheObjectTarget.Wrap(async served =>
        {
            ReadResult read = await served.Transport.Input.ReadAsync();
            while (!read.IsCompleted)
            {
                served.Transport.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await served.Transport.Input.ReadAsync();
            }

            seen = Encoding.Latin1.GetString(read.Buffer.ToArray());
            Assert.Same(output.Writer, served.Transport.Output);
        })(connection);
        for (int i = 0; i < text.Length; i += step)
        {
            await input.Writer.WriteAsync(Encoding.Latin1.GetBytes(text[i..Math.Min(text.Length, i + step)])).AsTask().InTimeAsync();
        }

        await input.Writer.CompleteAsync();
        await serving.InTimeAsync();
        Assert.Same(transport, connection.Transport);
        return seen;
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
