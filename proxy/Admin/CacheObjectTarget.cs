using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Admin;

/// <summary>
/// squidclient before 4, and exporters that write as it did, ask for <c>cache_object://host/info</c>, which is no URL by any standard and
/// which Kestrel refuses. The first line of such a connection is written anew before anybody reads it: <c>/squid-internal-mgr/info</c>.
/// </summary>
internal static class CacheObjectTarget
{
    private const int MaxLine = 1024;

    /// <summary>As long as Kestrel waits for a head.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static readonly byte[] s_scheme = [.. "GET cache_object://"u8];

    /// <summary>The connection delegate around the next one.</summary>
    public static ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        PipeReader input = connection.Transport.Input;
        string? line;
        try
        {
            using var late = new CancellationTokenSource(s_patience);
            line = await TakeLineAsync(input, late.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return;
        }

        if (line is null)
        {
            await next(connection);
            return;
        }

        var rewritten = new Pipe();
        rewritten.Writer.Write(Encoding.ASCII.GetBytes(Rewrite(line)));
        Task copied = CopyAsync(input, rewritten.Writer);
        IDuplexPipe transport = connection.Transport;
        connection.Transport = new Duplex(rewritten.Reader, transport.Output);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
            await rewritten.Reader.CompleteAsync();
            input.CancelPendingRead();
            await copied;
        }
    };

    /// <summary>What a line asks for in words of HTTP. A password behind <c>@</c> is no use here.</summary>
    private static string Rewrite(string line)
    {
        string target = line[s_scheme.Length..].Split(' ')[0];
        int slash = target.IndexOf('/', StringComparison.Ordinal);
        string page = slash < 0 ? "" : target[(slash + 1)..].Split('@', '?')[0];
        return $"GET {SquidRoom.Root}{page} HTTP/1.0\r\n";
    }

    /// <summary>The first line, taken out, when it is one of those; else null, and nothing is taken.</summary>
    private static async Task<string?> TakeLineAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read = await input.ReadAsync(cancellationToken);
            ReadOnlySequence<byte> buffer = read.Buffer;
            byte[] begin = buffer.Slice(0, Math.Min(buffer.Length, MaxLine)).ToArray();
            int shared = begin.AsSpan().CommonPrefixLength(s_scheme);
            SequencePosition? end = buffer.Slice(0, begin.Length).PositionOf((byte)'\n');
            bool mayBe = shared == Math.Min(begin.Length, s_scheme.Length) && (end is not null || begin.Length < MaxLine);
            if (mayBe && shared == s_scheme.Length && end is { } last)
            {
                string line = Encoding.Latin1.GetString(buffer.Slice(0, last)).TrimEnd('\r');
                input.AdvanceTo(buffer.GetPosition(1, last));
                return line;
            }

            if (!mayBe || read.IsCompleted || read.IsCanceled)
            {
                input.AdvanceTo(buffer.Start);
                return null;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static async Task CopyAsync(PipeReader from, PipeWriter to)
    {
        try
        {
            while (true)
            {
                FlushResult flushed = await to.FlushAsync();
                if (flushed.IsCompleted)
                {
                    break;
                }

                ReadResult read = await from.ReadAsync();
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                {
                    to.Write(piece.Span);
                }

                from.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                {
                    break;
                }
            }
        }
        catch (IOException)
        {
            // The client left.
        }

        await to.CompleteAsync();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
