using Breakwater.CacheStore;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// The answer to another node: in the body of the answer to its request, the head comes before what is written first. Not thread-safe.
/// </summary>
/// <param name="body">The body of the answer to the node's request.</param>
/// <param name="head">The head; asked for once.</param>
internal sealed class NodeAnswer(Stream body, Func<byte[]> head) : WriteOnlyStream
{
    private bool _hasBegun;

    /// <summary>Bytes of the body so far.</summary>
    public long BodyBytes { get; private set; }

    /// <summary>Nothing more is written.</summary>
    public ValueTask EndAsync(CancellationToken cancellationToken) => BeginAsync(cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await BeginAsync(cancellationToken);
        BodyBytes += buffer.Length;
        await body.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await BeginAsync(cancellationToken);
        await body.FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => throw new NotSupportedException();

    private async ValueTask BeginAsync(CancellationToken cancellationToken)
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            await body.WriteAsync(head(), cancellationToken);
        }
    }
}
