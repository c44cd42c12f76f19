using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>Where a seed comes from. The index is read first, then the content, once.</summary>
internal interface ISeedSource
{
    /// <summary>SHA-256 of the index; empty when there is none.</summary>
    string Identity { get; }

    /// <summary>Reads the index.</summary>
    Task<SeedIndex> ReadIndexAsync(CancellationToken cancellationToken);

    /// <summary>Reads the content.</summary>
    Task ReadContentAsync(ISeedVisitor visitor, CancellationToken cancellationToken);
}
