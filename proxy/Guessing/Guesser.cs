using System.Collections.Concurrent;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// Foresight where nothing is known: while a repository boots that has no working set yet, what its own catalogs and programs say comes
/// next is fetched behind the clients. Ends with the first working set, which knows better. Thread-safe; a request costs one look-up.
/// </summary>
internal sealed partial class Guesser(
    GuessServices services, GuessCounters counters, WorkingSetOptions options, IHostApplicationLifetime lifetime, ILogger<Guesser> log)
{
    /// <summary>Repositories guessed for at a time.</summary>
    internal const int MaxSessions = 4;

    /// <summary>Catalogs held open by all sessions, inflated, in the temporary directory.</summary>
    private const long MaxOpenBytes = 128L << 20;

    /// <summary>Repositories of which the bytes in vain are remembered.</summary>
    private const int MaxRemembered = 1024;

    /// <summary>Repositories guessed for right now.</summary>
    internal int Sessions => _sessions.Count;

    private readonly ConcurrentDictionary<Fqrn, GuessSession> _sessions = new();
    private readonly ConcurrentDictionary<Fqrn, long> _bytesInVain = new();
    private readonly GuessLimits _limits = new();
    private readonly OverflowBudget _openBytes = new(MaxOpenBytes);

    /// <summary>A client that may boot asks for an object.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="key">The object.</param>
    /// <param name="isKnown">Has the repository a working set?</param>
    public void Observe(RepositoryRoute repository, in ObjectKey key, Func<Fqrn, bool> isKnown)
    {
        if (!options.Guess)
        {
            return;
        }

        if (_sessions.TryGetValue(repository.Fqrn, out GuessSession? session))
        {
            session.Demand(key);
        }
        else if (key.Kind == ObjectKind.Catalog && _sessions.Count < MaxSessions && !isKnown(repository.Fqrn)
            && _bytesInVain.GetValueOrDefault(repository.Fqrn) < _limits.BytesInVain)
        {
            Begin(repository, key, isKnown);
        }
    }

    private void Begin(RepositoryRoute repository, ObjectKey key, Func<Fqrn, bool> isKnown)
    {
        var ledger = new GuessLedger(_limits, counters);
        var session = new GuessSession(repository, services, _limits, _openBytes, ledger);
        if (!_sessions.TryAdd(repository.Fqrn, session))
        {
            return; // another connection was quicker; the next request finds its session
        }

        session.Demand(key);
        _ = Task.Run(() => RunAsync(repository.Fqrn, session, ledger, isKnown));
    }

    private async Task RunAsync(Fqrn fqrn, GuessSession session, GuessLedger ledger, Func<Fqrn, bool> isKnown)
    {
        try
        {
            await session.RunAsync(() => isKnown(fqrn), lifetime.ApplicationStopping);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            // The proxy stops, or the store or the temporary directory cannot: clients are served as ever.
        }
        catch (Exception e) // a catalog or program that nobody thought of
        {
            LogEnded(log, fqrn, e);
        }

        _sessions.TryRemove(fqrn, out _);
        GuessSums sums = ledger.Close();
        if (_bytesInVain.Count >= MaxRemembered)
        {
            _bytesInVain.Clear();
        }

        _bytesInVain.AddOrUpdate(fqrn, sums.BytesInVain, (_, before) => before + sums.BytesInVain);
        if (sums.Guessed > 0)
        {
            LogGuessed(log, fqrn, sums.Demanded, sums.Asked, sums.Guessed - sums.Asked, sums.BytesInVain);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: guesses ended by an error; clients are served as ever. Please report it with this message")]
    private static partial void LogEnded(ILogger log, Fqrn repository, Exception e);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: nothing was known of its boots, so the next objects were guessed: of {Demanded} objects asked for, "
        + "{Asked} "
        + "were guessed; {InVain} guesses ({Bytes} bytes of content) were in vain")]
    private static partial void LogGuessed(ILogger log, Fqrn repository, int demanded, int asked, int inVain, long bytes);
}
