using System.Diagnostics;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Store;

namespace Breakwater.StoreCrash;

/// <summary>
/// Starts the child, kills it at a seeded random moment, opens the store and compares it to the acknowledgements; again and again on one
/// store.
/// </summary>
public sealed class CrashHarness(string storePath, int seed)
{
    /// <summary>Of the objects of earlier rounds, so many are read in each round; all are looked up.</summary>
    private const int SampleOfOlder = 200;

    private readonly Random _random = new(seed);
    private readonly Dictionary<ObjectKey, int> _acknowledged = [];
    private readonly HashSet<ObjectKey> _evicted = []; // locked: the store under check evicts, too
    private readonly HashSet<ObjectKey> _pinned = [];
    private readonly Dictionary<string, int> _documents = [];
    private readonly HashSet<ObjectKey> _ofThisRound = [];
    private int _nextNumber = 1 + (seed * 1_000_000);
    private int _evictions;
    private long _scrubbed;
    private int _damaged;

    public async Task<CrashReport> RunAsync(int rounds, TextWriter log)
    {
        CrashReport report = new();
        for (int round = 0; round < rounds; round++)
        {
            _ofThisRound.Clear();
            int highest = await KillOneAsync();
            report = await CheckAsync(report with { Rounds = round + 1 }, highest);
            _nextNumber = highest + 100;
            await log.WriteLineAsync($"round {round + 1}: {report}");
        }

        return report;
    }

    private async Task<int> KillOneAsync()
    {
        using Process child = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "exec", typeof(CrashHarness).Assembly.Location, "child", storePath,
                _nextNumber.ToString(CultureInfo.InvariantCulture) },
            RedirectStandardOutput = true,
        })!;
        try
        {
            int highest = _nextNumber;
            int acknowledgements = 0;
            int killAfter = _random.Next(1, 500); // acknowledgements, not time: the seed says where it dies, the machine's speed does not
            while (await child.StandardOutput.ReadLineAsync() is { } line)
            {
                int number = Record(line.Split(' '));
                highest = Math.Max(highest, number);
                if (number > 0 && ++acknowledgements == killAfter)
                {
                    child.Kill(); // SIGKILL; what it told before is read to the end
                }
            }

            await child.WaitForExitAsync();
            return acknowledgements >= killAfter
                ? highest
                : throw new InvalidOperationException($"The child ended by itself with {child.ExitCode}.");
        }
        finally
        {
            if (!child.HasExited)
            {
                child.Kill();
            }
        }
    }

    /// <summary>Takes a line of the child. Returns the number that it acknowledges, 0 for other lines.</summary>
    private int Record(string[] line)
    {
        switch (line)
        {
            case [nameof(CommitResult.Committed) or nameof(CommitResult.AlreadyPresent), string text, string key]:
                int number = int.Parse(text, CultureInfo.InvariantCulture);
                _acknowledged[ObjectKey.Parse(key)] = number;
                _ofThisRound.Add(ObjectKey.Parse(key));
                return number;
            case ["document", string name, string text]:
                int value = int.Parse(text, CultureInfo.InvariantCulture);
                _documents[name] = Math.Max(value, _documents.GetValueOrDefault(name));
                return value;
            case ["evict", string key]:
                OnEvicting(ObjectKey.Parse(key));
                return 0;
            case ["pin", string key]:
                _pinned.Add(ObjectKey.Parse(key));
                return 0;
            case ["scrubbed", string objects, string damaged]:
                _scrubbed += long.Parse(objects, CultureInfo.InvariantCulture);
                _damaged += int.Parse(damaged, CultureInfo.InvariantCulture);
                return 0;
            default:
                return 0;
        }
    }

    private void OnEvicting(ObjectKey key)
    {
        lock (_evicted)
        {
            _evicted.Add(key);
            _evictions++;
        }
    }

    private bool IsEvicted(ObjectKey key)
    {
        lock (_evicted)
        {
            return _evicted.Contains(key);
        }
    }

    private async Task<CrashReport> CheckAsync(CrashReport report, int highest)
    {
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(
            new StoreOptions { Path = storePath, QuotaBytes = CrashChild.QuotaBytes, Evicting = OnEvicting });
        int lost = 0, wrong = 0, wrongDocuments = 0, forbidden = 0;
        ObjectKey[] older = [.. _acknowledged.Keys.Except(_ofThisRound)];
        _random.Shuffle(older);
        HashSet<ObjectKey> toRead = [.. _ofThisRound.Concat(older.Take(SampleOfOlder)).Concat(_pinned)];
        foreach ((ObjectKey key, int number) in _acknowledged)
        {
            if (!store.Contains(key))
            {
                lost += IsEvicted(key) && !_pinned.Contains(key) ? 0 : 1;
            }
            else if (toRead.Contains(key))
            {
                byte[]? found = await ReadAsync(store, key);
                wrong += found is null ? IsEvicted(key) ? 0 : 1 : found.AsSpan().SequenceEqual(CrashObject.Make(number).Bytes) ? 0 : 1;
            }
        }

        foreach ((string key, int value) in _documents)
        {
            // a later put may have become durable without being told; an earlier one is a loss
            bool isThere = store.Documents.TryGet(key, out StoredDocument? document);
            wrongDocuments += isThere && BitConverter.ToInt32(document!.Body.Span) >= value - (50 * 7) ? 0 : 1;
        }

        for (int number = _nextNumber; number < highest + 20; number++)
        {
            if (number % 7 != 0 && (number % 11 == 0 || number % 13 == 0))
            {
                forbidden += store.Contains(CrashObject.Make(number).Key) ? 1 : 0;
            }
        }

        return report with
        {
            Acknowledged = _acknowledged.Count,
            Evicted = _evictions,
            Pinned = _pinned.Count,
            Documents = _documents.Count,
            Scrubbed = _scrubbed,
            Damaged = _damaged,
            Lost = report.Lost + lost,
            LostPinned = report.LostPinned + _pinned.Count(key => !store.Contains(key)),
            Wrong = report.Wrong + wrong,
            WrongDocuments = report.WrongDocuments + wrongDocuments,
            Forbidden = report.Forbidden + forbidden,
        };
    }

    private static async Task<byte[]?> ReadAsync(FasterObjectStore store, ObjectKey key)
    {
        if (!store.TryOpen(key, out ObjectLease? lease))
        {
            return null;
        }

        using (lease)
        {
            byte[] bytes = new byte[lease.Length];
            for (int at = 0; at < bytes.Length;)
            {
                at += await lease.ReadAsync(at, bytes.AsMemory(at));
            }

            return bytes;
        }
    }
}
