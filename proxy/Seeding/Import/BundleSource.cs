using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>A bundle, from a file or a pipe. The stream stays the caller's.</summary>
internal sealed class BundleSource(Stream bundle, SeedLimits limits) : ISeedSource
{
    private readonly SeedReader _reader = new(bundle, limits);

    /// <inheritdoc/>
    public string Identity => _reader.IndexSha256;

    /// <inheritdoc/>
    public Task<SeedIndex> ReadIndexAsync(CancellationToken cancellationToken) => _reader.ReadIndexAsync(cancellationToken);

    /// <inheritdoc/>
    public Task ReadContentAsync(ISeedVisitor visitor, CancellationToken cancellationToken) =>
        _reader.ReadContentAsync(visitor, cancellationToken);
}
