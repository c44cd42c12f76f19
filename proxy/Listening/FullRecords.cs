using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Breakwater.Proxy.Listening;

/// <summary>
/// What is said over TLS goes out in records as large as TLS allows. Kestrel's own writer makes one, and a call to the system, of each
/// block of 4 KiB, and whoever reads it pays for each as well. With <see cref="HeldFlushes"/> below TLS the records of one answer go to the
/// socket together.
/// </summary>
internal sealed class FullRecords : IDuplexPipe
{
    /// <summary>An answer of some ten KB with its head is written at once.</summary>
    private const int BlockBytes = 64 << 10;

    private FullRecords(IDuplexPipe tls, Stream stream)
    {
        Input = tls.Input;
        Output = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: BlockBytes, leaveOpen: true));
    }

    /// <inheritdoc/>
    public PipeReader Input { get; }

    /// <inheritdoc/>
    public PipeWriter Output { get; }

    /// <summary>Middleware of a connection, behind the one for TLS.</summary>
    public static ConnectionDelegate Wrap(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<ISslStreamFeature>() is { } tls)
        {
            connection.Transport = new FullRecords(connection.Transport, connection.Features.Get<HeldFlushes>() is { } flushes
                ? new WholeWrites(tls.SslStream, flushes) : tls.SslStream);
        }

        return next(connection);
    };
}
