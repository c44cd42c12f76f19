using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Repositories;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>What <c>--paths</c> takes: a list of paths and globs, a client's trace, or the URLs that a boot asked for.</summary>
internal static class SeedPathList
{
    /// <summary>Reads it, whichever it is.</summary>
    public static Parsed<IReadOnlyList<WorkingSetEntry>> Read(string text)
    {
        if (GivenSets.IsTrace(text))
        {
            return GivenSets.ReadTrace(text);
        }

        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        List<WorkingSetEntry> objects = [];
        var paths = new StringBuilder();
        foreach (string line in lines)
        {
            if (SeedPath.TryParse(line.TrimStart('/'), out SeedPath? requested))
            {
                objects.AddRange(requested.Value.Kind == SeedEntryKind.Object ? [new WorkingSetEntry { Key = requested.Value.Key }] : []);
            }
            else
            {
                paths.Append(line).Append('\n');
            }
        }

        return GivenSets.ReadPaths(paths.ToString()).TryGet(out IReadOnlyList<WorkingSetEntry>? entries, out string? problem)
            ? new List<WorkingSetEntry>([.. objects, .. entries])
            : new Malformed(problem);
    }

    /// <summary>The entries as a working set of a repository.</summary>
    public static WorkingSet ToSet(string fqrn, IReadOnlyList<WorkingSetEntry> entries, IReadOnlyList<string> tags) => new()
    {
        Name = "paths",
        Repository = fqrn,
        Source = WorkingSetSource.Given,
        Snapshots = tags.Count == 0 ? [WorkingSet.Trunk] : tags,
        Entries = entries,
    };
}

/// <summary>Collects the keys of a bundle.</summary>
internal sealed class SeedKeys : ISeedVisitor
{
    /// <summary>All keys: carried, and inherited from bundles before.</summary>
    public HashSet<ObjectKey> Keys { get; } = [];

    /// <inheritdoc/>
    public ValueTask OnDocumentAsync(string name, byte[] bytes, long offset, CancellationToken cancellationToken)
    {
        if (name == SeedPath.Inherited)
        {
            Keys.UnionWith(Encoding.ASCII.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ObjectKey.Parse));
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask OnObjectAsync(SeedPath path, string name, long length, long offset, CancellationToken cancellationToken)
    {
        Keys.Add(path.Key);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask OnObjectBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public ValueTask OnObjectEndAsync(CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public void OnLink(SeedPath path)
    {
    }
}
