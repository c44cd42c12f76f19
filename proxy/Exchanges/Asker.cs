using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Asks whoever has what an exchange is about: the origin of ordinary HTTP, or the Stratum 1s of an external file.</summary>
internal sealed class Asker(OriginAsker origins, FileAsker files)
{
    /// <summary>Asks.</summary>
    /// <param name="exchange">What is wanted, and of whom.</param>
    /// <param name="method">Method.</param>
    /// <param name="fields">Fields to send.</param>
    /// <param name="known">The stored answer that is checked or of which a part is missing; null: nothing is stored.</param>
    /// <param name="cancellationToken">Ends the wait for the head.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task<AskResult> AskAsync(
        Exchange exchange, string method, HeaderFields fields, StoredHead? known, CancellationToken cancellationToken) =>
        exchange.External is { } file
            ? files.AskAsync(exchange, file, method, fields, known, cancellationToken)
            : origins.AskAsync(exchange.Target, method, fields, null, exchange.Client, cancellationToken);

    /// <summary>Passes a request with its body on.</summary>
    /// <param name="exchange">The request, of ordinary HTTP.</param>
    /// <param name="content">Its body; null: it has none.</param>
    /// <param name="cancellationToken">The client has left.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task<AskResult> PassAsync(Exchange exchange, Stream? content, CancellationToken cancellationToken) =>
        origins.AskAsync(exchange.Target, exchange.Method, exchange.Fields, content, exchange.Client, cancellationToken);
}
