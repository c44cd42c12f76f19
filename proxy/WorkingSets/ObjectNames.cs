using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Threading.Channels;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Names the files behind objects for the access log and the boot timelines: from the working sets, else from the catalogs in the store,
/// which are read in the background once somebody asks for a name. A name asked for before its catalog was read is not known yet. Never
/// fetches anything. Thread-safe.
/// </summary>
internal sealed partial class ObjectNames(
    WorkingSetPreparer preparer,
    SignedDocuments documents,
    RepositoryRoutes repositories,
    IObjectStore store,
    CatalogLimits limits,
    ILogger<ObjectNames> log) : BackgroundService, IObjectPaths
{
    /// <summary>Names of all repositories with what they are found by: a quarter of a million of usual length.</summary>
    internal const long MaxBytes = 64L << 20;

    /// <summary>A repository of which nothing is known yet.</summary>
    private const int RepositoryBytes = 4096;

    /// <summary>A key or path in a table, beside the path's characters.</summary>
    private const int NameBytes = 64 + HeapCost.Entry;

    /// <summary>Catalogs that wait to be read because one above them was.</summary>
    private const int MaxBelow = 100_000;

    private const int MaxWaiting = 4096;

    /// <summary>It rests nine times as long as it works: at most a tenth of one core.</summary>
    private const int RestFactor = 9;

    private readonly ConcurrentDictionary<Fqrn, RepositoryNames> _repositories = new();
    private readonly Channel<(Fqrn Fqrn, ObjectKey? Catalog)> _waiting = Channel.CreateBounded<(Fqrn, ObjectKey?)>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private long _bytes;   // of names; the reader of catalogs alone writes it

    /// <summary>Repositories and bytes right now.</summary>
    internal (int Repositories, long Bytes) Held => (_repositories.Count, Interlocked.Read(ref _bytes));

    /// <inheritdoc/>
    public string? Find(Fqrn fqrn, in ObjectKey key)
    {
        if (!_repositories.TryGetValue(fqrn, out RepositoryNames? names))
        {
            // Remembered once it has a manifest: a client may ask under any name below an allowed domain.
            _waiting.Writer.TryWrite((fqrn, null));
            return null;
        }

        // A client that reads a catalog soon reads what is in it.
        if (key.Kind == ObjectKind.Catalog && !names.Catalogs.ContainsKey(key))
        {
            _waiting.Writer.TryWrite((fqrn, key));
        }

        string? path = names.Paths.GetValueOrDefault(key) ?? preparer.NameOf(fqrn, key);
        return path is "" ? "/" : path;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach ((Fqrn fqrn, ObjectKey? catalog) in _waiting.Reader.ReadAllAsync(stoppingToken))
            {
                if (_bytes > MaxBytes)
                {
                    // What is asked for from now on is read again.
                    LogFull(log, MaxBytes >> 20);
                    _repositories.Clear();
                    _bytes = 0;
                }

                bool isKnown = _repositories.ContainsKey(fqrn);
                ObjectKey? first = catalog
                    ?? (!isKnown && repositories.TryFind(fqrn, out RepositoryRoute? route)
                    ? documents.Find(route)?.Parsed.RootCatalog
                    : null);
                if (first is ObjectKey key)
                {
                    _bytes += isKnown ? 0 : RepositoryBytes;
                    await ReadBelowAsync(fqrn, _repositories.GetOrAdd(fqrn, new RepositoryNames()), key, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy stops.
        }
    }

    /// <summary>Reads a catalog and those below it, as far as the store has them.</summary>
    private async Task ReadBelowAsync(Fqrn fqrn, RepositoryNames names, ObjectKey first, CancellationToken cancellationToken)
    {
        Stack<ObjectKey> todo = new([first]);
        while (_bytes <= MaxBytes && todo.TryPop(out ObjectKey key))
        {
            if (!names.Catalogs.ContainsKey(key) && store.TryOpen(key, out ObjectLease? lease))
            {
                names.Catalogs.TryAdd(key, true);
                _bytes += NameBytes;
                long begun = Stopwatch.GetTimestamp();
                try
                {
                    await using var wire = new LeaseStream(lease);
                    string? problem = await ReadAsync(names, key, wire, todo, cancellationToken);
                    if (problem is not null)
                    {
                        LogUnreadable(log, fqrn, key, problem);
                    }
                }
                catch (Exception e) when (!(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
                {
                    LogUnreadable(log, fqrn, key, e.Message);
                }

                await Task.Delay(Stopwatch.GetElapsedTime(begun) * RestFactor, cancellationToken);
            }
        }
    }

    private async Task<string?> ReadAsync(RepositoryNames names, ObjectKey key, Stream wire, Stack<ObjectKey> below,
        CancellationToken cancellationToken)
    {
        if (!(await Catalog.OpenAsync(wire, limits, cancellationToken)).TryGet(out Catalog? catalog, out string? problem))
        {
            return problem;
        }

        using (catalog)
        {
            Add(names, key, catalog.Prefix);
            foreach (NestedCatalog nested in catalog.Nested.Take(MaxBelow - below.Count))
            {
                below.Push(nested.Catalog);
            }

            long chunkedBytes = 0;
            return CatalogObjects.Scan<FileName>(
                catalog,
                (at, entry) =>
                {
                    string? problem = at.ReadPath(out string? path);
                    if (problem is not null || path is null || _bytes + chunkedBytes > MaxBytes)
                    {
                        return (problem, null);
                    }

                    chunkedBytes += entry.IsChunked ? NameBytes + HeapCost.Of(path) : 0;
                    return (null, new FileName(path));
                },
                (found, file) =>
                {
                    Add(names, found, file.Path);
                    return _bytes <= MaxBytes;
                });
        }
    }

    private void Add(RepositoryNames names, ObjectKey key, string path)
    {
        if (names.Paths.TryAdd(key, path))
        {
            _bytes += NameBytes + HeapCost.Of(path);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: the catalog {Catalog} cannot be read, its files have no names in the access log: {Problem}")]
    private static partial void LogUnreadable(ILogger log, Fqrn repository, ObjectKey catalog, string problem);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The names of objects take more than {Megabytes} MiB: they are forgotten, "
            + "and those asked for from now on are read again")]
    private static partial void LogFull(ILogger log, long megabytes);

    private readonly record struct FileName(string Path);

    private sealed class RepositoryNames
    {
        /// <summary>Catalogs read, or tried.</summary>
        public ConcurrentDictionary<ObjectKey, bool> Catalogs { get; } = [];

        public ConcurrentDictionary<ObjectKey, string> Paths { get; } = [];
    }
}
