using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Holdings;

/// <summary>
/// The seed bundles of the settings. A seed's record says which file it came from: one whose file is not in the settings is removed. Not
/// thread-safe: <see cref="Declarations"/> calls it.
/// </summary>
internal sealed class DeclaredSeeds(FasterObjectStore store, SeedRegistry registry, SeedImporter importer, SeedLimits limits)
{
    private Dictionary<string, (DateTime WrittenAt, long Length, string Name)> _imported = new(StringComparer.Ordinal);

    /// <summary>Removes the seeds of files that the settings do not declare any more; what commands have imported stays.</summary>
    /// <returns>The names of the seeds that were removed.</returns>
    public IReadOnlyList<string> RemoveOthers(IReadOnlyList<string> files)
    {
        _imported = _imported.Where(one => files.Contains(one.Key, StringComparer.Ordinal)).ToDictionary(StringComparer.Ordinal);
        return [.. registry.List()
            .Where(seed => seed.File is not null && !files.Contains(seed.File, StringComparer.Ordinal) && registry.Remove(seed.Name))
            .Select(seed => seed.Name)];
    }

    /// <summary>Imports a bundle, if what is in the file now is not in the store.</summary>
    /// <returns>The problem; null: it is as declared.</returns>
    public async Task<string?> ApplyAsync(string file, CancellationToken cancellationToken)
    {
        var info = new FileInfo(file);
        if (!info.Exists)
        {
            // What it brought stays: somebody may have thought that the file has done its work.
            return NamedPath.IsFolder(file) ? "this is a folder; a bundle's file belongs here." : "there is no such file.";
        }

        if (_imported.TryGetValue(file, out (DateTime WrittenAt, long Length, string Name) known)
            && known.WrittenAt == info.LastWriteTimeUtc && known.Length == info.Length && registry.Find(known.Name) is not null)
        {
            return null;
        }

        (string name, string identity) = await ReadIndexAsync(file, cancellationToken);
        if (_imported.Where(one => one.Key != file && one.Value.Name == name).Select(one => one.Key).FirstOrDefault() is { } other)
        {
            return $"its seed is named {name}, as that of {other} is. Export one of them under another --name.";
        }

        if (!IsThere(name, identity))
        {
            await using Stream bundle = BundleParts.Open(file);
            await importer.ImportAsync(new BundleSource(bundle, limits), null, file, null, cancellationToken);
        }

        _imported[file] = (info.LastWriteTimeUtc, info.Length, name);
        return null;
    }

    private async Task<(string Name, string Identity)> ReadIndexAsync(string file, CancellationToken cancellationToken)
    {
        await using Stream bundle = BundleParts.Open(file);
        var source = new BundleSource(bundle, limits);
        SeedIndex index = await source.ReadIndexAsync(cancellationToken);
        return (index.Name, source.Identity);
    }

    private bool IsThere(string name, string identity) =>
        registry.Find(name) is { } seed && seed.IndexSha256 == identity
        && store.Pins.Keys(PinName.OfSeed(name).Text) is { } keys && keys.All(key => store.Contains(key));
}
