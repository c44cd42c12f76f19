using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Permissions to go back that the settings declare (<c>Repositories:&lt;name&gt;:AllowRevision</c>). Each counts once: the store remembers
/// which was used, so that whoever replays an old manifest after a restart gets nothing by it. Thread-safe.
/// </summary>
internal sealed partial class AllowedRevisions
{
    private const string Prefix = "allowed-revision/";

    private readonly ConcurrentDictionary<Fqrn, ulong> _used = new(); // by repository, the floor that was used
    private readonly IDocumentStore _documents;
    private readonly ILogger<AllowedRevisions> _log;
    private volatile FrozenDictionary<Fqrn, ulong> _declared;   // replaced whole

    public AllowedRevisions(BreakwaterSettings settings, IDocumentStore documents, ILogger<AllowedRevisions> log)
    {
        (_documents, _log) = (documents, log);
        foreach (string key in documents.Keys(Prefix))
        {
            if (documents.TryGet(key, out StoredDocument? stored)
                && ulong.TryParse(stored.Body.Span, NumberStyles.None, CultureInfo.InvariantCulture, out ulong floor)
                && Fqrn.TryParse(key[Prefix.Length..], out Fqrn fqrn))
            {
                _used[fqrn] = floor;
            }
        }

        _declared = Read(settings);
        ForgetWhatIsNotDeclared();
    }

    /// <summary>What is declared, by repository, and whether it was used here.</summary>
    public IEnumerable<(Fqrn Fqrn, ulong Floor, bool IsUsed)> All =>
        _declared.OrderBy(one => one.Key).Select(one => (one.Key, one.Value, IsUsed(one.Key, one.Value)));

    /// <summary>The lowest revision to which the repository may go back now; null: it may not.</summary>
    public ulong? FloorOf(Fqrn fqrn) => _declared.TryGetValue(fqrn, out ulong floor) && !IsUsed(fqrn, floor) ? floor : null;

    /// <summary>New settings are in force: a permission that is taken out is gone, and counts again when it comes back.</summary>
    public void Take(BreakwaterSettings settings)
    {
        _declared = Read(settings);
        ForgetWhatIsNotDeclared();
    }

    /// <summary>The repository went back to this revision.</summary>
    public void WentBack(Fqrn fqrn, ulong revision)
    {
        if (FloorOf(fqrn) is { } floor && revision >= floor)
        {
            _used[fqrn] = floor;
            LogUsed(_log, fqrn, revision, floor);
            _ = KeepAsync(fqrn, floor);
        }
    }

    private bool IsUsed(Fqrn fqrn, ulong floor) => _used.TryGetValue(fqrn, out ulong used) && used == floor;

    private void ForgetWhatIsNotDeclared()
    {
        foreach ((Fqrn fqrn, ulong floor) in _used)
        {
            if (_declared.GetValueOrDefault(fqrn) != floor && _used.TryRemove(fqrn, out _))
            {
                _documents.Remove(Prefix + fqrn);
            }
        }
    }

    private async Task KeepAsync(Fqrn fqrn, ulong floor)
    {
        try
        {
            byte[] body = Encoding.ASCII.GetBytes(floor.ToString(CultureInfo.InvariantCulture));
            await _documents.PutAsync(Prefix + fqrn, new StoredDocument(body, default, DateTimeOffset.UnixEpoch));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            LogNotKept(_log, e, fqrn);
        }
    }

    private static FrozenDictionary<Fqrn, ulong> Read(BreakwaterSettings settings) =>
        settings.Repositories.Where(one => one.Value.AllowRevision is not null)
            .ToFrozenDictionary(one => Fqrn.Parse(one.Key), one => (ulong)one.Value.AllowRevision!.Value);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository} went back to revision {Revision}, as AllowRevision {Floor} allows. That is used up now")]
    private static partial void LogUsed(ILogger log, Fqrn repository, ulong revision, ulong floor);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: that AllowRevision was used is not stored; after a restart it counts again")]
    private static partial void LogNotKept(ILogger log, Exception exception, Fqrn repository);
}
