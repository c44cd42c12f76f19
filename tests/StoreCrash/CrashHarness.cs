using System.Diagnostics;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Faster;

namespace Breakwater.StoreCrash;

/// <summary>What all rounds found. Everything but the first three must be 0.</summary>
public sealed record CrashReport
{
    public int Rounds { get; init; }

    public int Acknowledged { get; init; }

    public int Documents { get; init; }

    public int Lost { get; init; }

    public int Wrong { get; init; }

    public int WrongDocuments { get; init; }

    /// <summary>Objects in the store that should never have been taken: wrong bytes or aborted.</summary>
    public int Forbidden { get; init; }
}

/// <summary>Starts the child, kills it at a seeded random moment, opens the store and compares it to the acknowledgements; again and again on one store.</summary>
public sealed class CrashHarness(string storePath, int seed)
{
    private readonly Random _random = new(seed);
    private readonly HashSet<int> _acknowledged = [];
    private readonly Dictionary<string, int> _documents = [];
    private int _nextNumber = 1 + (seed * 1_000_000);

    public async Task<CrashReport> RunAsync(int rounds, TextWriter log)
    {
        CrashReport report = new();
        for (int round = 0; round < rounds; round++)
        {
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
            ArgumentList = { "exec", typeof(CrashHarness).Assembly.Location, "child", storePath, _nextNumber.ToString(CultureInfo.InvariantCulture) },
            RedirectStandardOutput = true,
        })!;
        try
        {
            int highest = _nextNumber;
            int lines = 0;
            int killAfter = _random.Next(1, 400); // acknowledgements, not time: the seed says where it dies, the machine's speed does not
            while (await child.StandardOutput.ReadLineAsync() is { } line)
            {
                highest = Math.Max(highest, Record(line.Split(' ')));
                if (++lines == killAfter && !child.HasExited)
                {
                    child.Kill(); // SIGKILL; what it told before is read to the end
                }
            }

            await child.WaitForExitAsync();
            if (lines < killAfter)
            {
                throw new InvalidOperationException($"The child ended by itself with {child.ExitCode}.");
            }

            return highest;
        }
        finally
        {
            if (!child.HasExited)
            {
                child.Kill();
            }
        }
    }

    private int Record(string[] line)
    {
        switch (line[0])
        {
            case nameof(CommitResult.Committed) or nameof(CommitResult.AlreadyPresent):
                int number = int.Parse(line[1], CultureInfo.InvariantCulture);
                _acknowledged.Add(number);
                return number;
            case "document":
                int value = int.Parse(line[2], CultureInfo.InvariantCulture);
                _documents[line[1]] = Math.Max(value, _documents.GetValueOrDefault(line[1]));
                return value;
            default:
                return 0;
        }
    }

    private async Task<CrashReport> CheckAsync(CrashReport report, int highest)
    {
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = storePath });
        int lost = 0, wrong = 0, wrongDocuments = 0, forbidden = 0;
        foreach (int number in _acknowledged)
        {
            CrashObject made = CrashObject.Make(number);
            byte[]? found = await ReadAsync(store, made.Key);
            lost += found is null ? 1 : 0;
            wrong += found is not null && !found.AsSpan().SequenceEqual(made.Bytes) ? 1 : 0;
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
            Documents = _documents.Count,
            Lost = report.Lost + lost,
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
