using Breakwater.CacheStore;

namespace Breakwater.Proxy.Listening;

/// <summary>A stream of TLS whose records wait below it until what was written is flushed. One writer; for writing alone.</summary>
/// <param name="tls">The stream.</param>
/// <param name="below">What its records go into.</param>
internal sealed class WholeWrites(Stream tls, HeldFlushes below) : WriteOnlyStream
{
    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        below.Hold();
        return tls.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        below.Release();
        return tls.FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        below.Release();
        tls.Flush();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        below.Hold();
        tls.Write(buffer);
    }
}
