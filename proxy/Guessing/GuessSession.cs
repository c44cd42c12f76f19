using System.Threading.Channels;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// The guesses for one repository while it is read for the first time. What clients ask for comes in by <see cref="Demand"/>, from any
/// thread; one task of its own reads catalogs and programs and fetches behind all clients what the rules expect.
/// </summary>
internal sealed class GuessSession(
    RepositoryRoute repository, GuessServices services, GuessLimits limits, OverflowBudget openBytes, GuessLedger ledger)
{
    /// <summary>So many that no Stratum 1 has end it: the catalogs are of another repository, or the Stratum 1s are down.</summary>
    private const int MaxFailed = 16;

    private const int MaxWaiting = 4096;
    private const int MaxProgramBytes = 8 << 20;
    private const long MaxCatalogBytes = 32L << 20;

    private readonly Channel<Step> _steps = Channel.CreateBounded<Step>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private static readonly SemaphoreSlim s_reading = new(2); // programs read at a time, of all sessions

    private readonly HashSet<ObjectKey> _trusted = [];    // catalogs that hang below a signed manifest; the task's alone
    private readonly Dictionary<ObjectKey, List<Guess>> _opened = []; // with the guesses below; the task's alone
    private readonly HashSet<ObjectKey> _read = []; // programs that were read, by their first object; the task's alone
    private int _failed;

    /// <summary>A client asks for an object.</summary>
    public void Demand(in ObjectKey key)
    {
        if (ledger.Demand(key))
        {
            _steps.Writer.TryWrite(new Step(key, IsDemanded: true));
        }
    }

    /// <summary>Works until nobody asks any more, or until the repository is known.</summary>
    /// <param name="isKnown">Is there a working set by now?</param>
    /// <param name="cancellationToken">The proxy stops.</param>
    public async Task RunAsync(Func<bool> isKnown, CancellationToken cancellationToken)
    {
        using var tree = new GuessTree(limits);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (!isKnown() && Volatile.Read(ref _failed) < MaxFailed && await NextAsync(cancellationToken) is Step step)
            {
                await TakeAsync(tree, step, ended.Token);
            }
        }
        finally
        {
            _steps.Writer.TryComplete();
            await ended.CancelAsync(); // what is only guessed is not worth a fetch any more
        }
    }

    private async Task<Step?> NextAsync(CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(limits.Silence, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        try
        {
            return await _steps.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task TakeAsync(GuessTree tree, Step step, CancellationToken cancellationToken)
    {
        if (step.Needs is not null)
        {
            Fetch(tree.NeedsOf(step.Path!, step.Needs), cancellationToken);
        }
        else if (step.Key.Kind == ObjectKind.Catalog)
        {
            await OpenAsync(tree, step, cancellationToken);
        }
        else
        {
            if (step.IsDemanded)
            {
                Fetch(tree.Near(step.Key), cancellationToken);
            }

            if (_read.Count < limits.Objects && tree.FileOf(step.Key) is { SizeBytes: > 0 and <= MaxProgramBytes } file
                && file.Objects.All(part => ledger.Has(part)) && _read.Add(step.Key))
            {
                _ = ReadProgramAsync(file, cancellationToken);
            }
        }
    }

    private async Task OpenAsync(GuessTree tree, Step step, CancellationToken cancellationToken)
    {
        if (!_opened.TryGetValue(step.Key, out List<Guess>? below))
        {
            if (_opened.Count >= limits.Objects || !await IsTrustedAsync(step.Key, cancellationToken))
            {
                return;
            }

            _opened.Add(step.Key, below = []);
            await ReadAsync(tree, step.Key, below, cancellationToken);
        }

        if (step.IsDemanded)
        {
            Fetch(below, cancellationToken); // it may have come by a guess before
        }
    }

    /// <summary>Adds a catalog to the tree, and what hangs below it to the guesses.</summary>
    private async Task ReadAsync(GuessTree tree, ObjectKey key, List<Guess> below, CancellationToken cancellationToken)
    {
        Parsed<Catalog> opened = await services.Snapshots.OpenCatalogAsync(
            repository, key, CatalogLimits.Default with { OpenBytes = openBytes, MaxInflatedBytes = MaxCatalogBytes },
            cancellationToken);
        if (!opened.TryGet(out Catalog? catalog, out _))
        {
            return;
        }

        _trusted.UnionWith(catalog.Nested.Take(Math.Max(0, limits.Objects - _trusted.Count)).Select(nested => nested.Catalog));
        List<Guess> hanging = [.. tree.Below(catalog)];
        if (tree.TryAdd(catalog))
        {
            below.AddRange(hanging);
        }
    }

    /// <summary>Does the catalog belong to the repository: the signed manifest's, a tag's, or one nested below those?</summary>
    private async Task<bool> IsTrustedAsync(ObjectKey catalog, CancellationToken cancellationToken)
    {
        if (_trusted.Contains(catalog))
        {
            return true;
        }

        if (services.Documents.Find(repository)?.Parsed is not { } manifest)
        {
            return false;
        }

        _trusted.Add(manifest.RootCatalog);
        if (!_trusted.Contains(catalog) && manifest.History is ObjectKey history
            && (await services.Snapshots.ReadHistoryAsync(repository, history, cancellationToken)).TryGet(out History? tags, out _))
        {
            _trusted.UnionWith(tags.Tags.Take(limits.Objects).Select(tag => tag.RootCatalog));
        }

        return _trusted.Contains(catalog);
    }

    private void Fetch(IEnumerable<Guess> guesses, CancellationToken cancellationToken)
    {
        foreach (Guess guess in guesses)
        {
            if (ledger.TryAdd(guess))
            {
                _ = FetchAsync(guess, cancellationToken);
            }
        }
    }

    private async Task FetchAsync(Guess guess, CancellationToken cancellationToken)
    {
        var progress = new PrefetchProgress();
        try
        {
            await services.Prefetcher.RunAsync(repository, [guess.Key], progress, PrefetchAim.Boot, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            return; // the session ends, or the store cannot: clients are served as ever
        }

        if (progress.Failed > 0)
        {
            Interlocked.Increment(ref _failed);
            return;
        }

        ledger.Arrived(guess.Key, progress.FetchedBytes);
        if (guess.Rule is not (GuessRule.Neighbour or GuessRule.NextChunk))
        {
            _steps.Writer.TryWrite(new Step(guess.Key, IsDemanded: false));
        }
    }

    /// <summary>Reads a file, once it is here, and gives back what it needs if it is a program.</summary>
    private async Task ReadProgramAsync(GuessedFile file, CancellationToken cancellationToken)
    {
        try
        {
            foreach (ObjectKey key in file.Objects) // before a place for reading is taken: a Stratum 1 may keep it waiting
            {
                if (await services.Objects.FetchAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken) is not null)
                {
                    return;
                }
            }

            await s_reading.WaitAsync(cancellationToken);
            try
            {
                if (await Task.Run(() => ReadNeedsAsync(file, cancellationToken), cancellationToken) is { } needs)
                {
                    _steps.Writer.TryWrite(new Step(file.Objects[0], IsDemanded: false, file.Path, needs));
                }
            }
            finally
            {
                s_reading.Release();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // As in FetchAsync.
        }
    }

    /// <summary>Null: it needs nothing, cannot be had, or is not as long as the catalog says.</summary>
    private async Task<ProgramNeeds?> ReadNeedsAsync(GuessedFile file, CancellationToken cancellationToken)
    {
        byte[] content = [];
        int length = 0;
        foreach (ObjectKey key in file.Objects)
        {
            using ObjectLease? lease = await services.Objects.OpenAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken);
            if (lease is null)
            {
                return null;
            }

            ledger.Arrived(key, lease.Length);
            await using var wire = new LeaseStream(lease);
            try
            {
                await using Stream part = file.IsStoredPlain ? wire : WireContent.Open(wire);
                if (content.Length == 0)
                {
                    byte[] start = new byte[ProgramNeeds.StartBytes];
                    length = part.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
                    if (length > file.SizeBytes || !ProgramNeeds.MayBe(start.AsSpan(0, length), file.Path))
                    {
                        return null;
                    }

                    content = new byte[file.SizeBytes + 1]; // one more than there should be
                    start.AsSpan(0, length).CopyTo(content);
                }

                length += part.ReadAtLeast(content.AsSpan(length), content.Length - length, throwOnEndOfStream: false);
            }
            catch (Exception e) when (WireContent.IsDamage(e))
            {
                return null;
            }
        }

        return length == file.SizeBytes ? ProgramNeeds.Read(content.AsSpan(0, length), file.Path) : null;
    }

    /// <summary>Something to think about: an object that was read or arrived, or what a program needs.</summary>
    private readonly record struct Step(ObjectKey Key, bool IsDemanded, string? Path = null, ProgramNeeds? Needs = null);
}
