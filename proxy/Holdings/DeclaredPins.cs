using System.Text;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Holdings;

/// <summary>
/// The pins of the settings. Their names in the store say that they are declared: what is there by such a name and not in the settings is
/// let go. Not thread-safe: <see cref="Declarations"/> calls it.
/// </summary>
internal sealed class DeclaredPins(
    FasterObjectStore store, RepositoryRoutes routes, SignedDocuments documents, WorkingSetPreparer preparer)
{
    private Dictionary<string, (PinOptions Pin, Manifest Manifest)> _applied = new(StringComparer.Ordinal);

    /// <summary>Lets go what the settings do not declare any more; what commands have pinned stays.</summary>
    /// <returns>The names of what was let go.</returns>
    public IReadOnlyList<string> RemoveOthers(IReadOnlyDictionary<string, PinOptions> declared)
    {
        HashSet<string> wanted =
            [.. declared.Select(one => PinName.OfDeclaredSet(Fqrn.Parse(one.Value.Repository!), one.Key).Text)];
        _applied = _applied.Where(one => declared.ContainsKey(one.Key)).ToDictionary(StringComparer.Ordinal);
        return [.. store.Pins.Names
            .Where(name => new PinName(name).IsDeclared && !wanted.Contains(name) && store.Pins.Remove(name))];
    }

    /// <summary>Pins and fetches what the snapshot of the newest manifest has there, if that was not done yet.</summary>
    /// <returns>The problem; null: it is as declared.</returns>
    public async Task<string?> ApplyAsync(string name, PinOptions pin, CancellationToken cancellationToken)
    {
        if (!routes.TryFind(Fqrn.Parse(pin.Repository!), out RepositoryRoute? route))
        {
            return $"no seed has brought {pin.Repository}, and Repositories does not name it.";
        }

        DocumentAnswer answer =
            await documents.GetAsync(new DocumentRequest(DocumentKind.File, route, SignedDocuments.ManifestPath, null), cancellationToken);
        if (documents.Find(route) is not { } pair)
        {
            return $"no manifest of {route.Fqrn} is here: {answer.Failure?.Detail ?? "no Stratum 1 has answered"}";
        }

        if (_applied.TryGetValue(name, out (PinOptions Pin, Manifest Manifest) before) && ReferenceEquals(before.Pin, pin)
            && pair.Parsed.NamesWhat(before.Manifest))
        {
            return null;
        }

        PinName set = PinName.OfDeclaredSet(route.Fqrn, name);
        Parsed<IReadOnlyList<WorkingSetEntry>> paths = GivenSets.ReadPaths(string.Join('\n', pin.Paths), fqrn: route.Fqrn);
        if (!paths.TryGet(out IReadOnlyList<WorkingSetEntry>? entries, out string? problem))
        {
            return problem;
        }

        var progress = new PrefetchProgress();
        var wanted = new WorkingSet
        {
            Name = set.Text,
            Repository = route.Fqrn,
            Source = WorkingSetSource.Given,
            Snapshots = [pin.Tag ?? WorkingSet.Trunk],
            Entries = pin.All ? [new WorkingSetEntry { Path = "/**" }] : entries,
        };
        problem = await preparer.PrepareAsync(route, [wanted], pair.Parsed, progress, PrefetchAim.Store, set, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        problem ??= Shortage(set, progress);
        if (problem is null)
        {
            _applied[name] = (pin, pair.Parsed);
        }

        return problem;
    }

    private string? Shortage(PinName set, PrefetchProgress progress)
    {
        if (progress.Total > 0 && store.Pins.Keys(set.Text) is null)
        {
            return $"more than {store.Pins.MaxBytes} bytes would be pinned. Raise Store:QuotaBytes, or declare less.";
        }

        return progress.Failed > 0 ? $"{progress.Failed} of {progress.Total} objects could not be fetched." : null;
    }
}
