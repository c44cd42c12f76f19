using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Bodies for one client alone: counted, and read no faster than the way upstream allows. Thread-safe.</summary>
internal sealed class LiveBodies(ProxyCounters counters, UpstreamPace pace)
{
    /// <summary>An answer for one client alone begins to come.</summary>
    /// <param name="turn">How urgent the rest is.</param>
    public PacedBody Begin(Func<PaceTurn> turn) => pace.Begin(turn);

    /// <summary>Reads of an answer for one client alone.</summary>
    /// <param name="live">The answer.</param>
    /// <param name="paced">From <see cref="Begin"/>.</param>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">It broke off.</exception>
    public async ValueTask<int> ReadAsync(FetchedAnswer live, PacedBody paced, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (live.Node is not null)
        {
            return await live.ReadAsync(buffer, cancellationToken);
        }

        int read = await live.ReadAsync(buffer[..paced.Piece(buffer.Length)], cancellationToken);
        counters.AddUpstreamBytes(read);
        await paced.PayAsync(read, cancellationToken);
        return read;
    }
}
