using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Store;

namespace Breakwater.StoreCrash;

/// <summary>
/// The process that is killed: writes, reads, pins, scrubs and evicts without end, and tells of each acknowledgement on its standard
/// output, one line each, after the store gave it (of each eviction, before it happens). What stands in the pipe survives the process.
/// </summary>
internal static class CrashChild
{
    /// <summary>Takes objects of up to 64 MiB, and is full soon.</summary>
    public const long QuotaBytes = 256L << 20;

    /// <summary>Small objects that are pinned: one in so many.</summary>
    private const int PinEvery = 17;

    private const int MostPinned = 400;
    private const int Writers = 4;
    private static readonly List<ObjectKey> s_pinned = [];

    public static async Task RunAsync(string path, int firstNumber)
    {
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(
            new StoreOptions
            {
                Path = path,
                QuotaBytes = QuotaBytes,
                CommitInterval = TimeSpan.FromMilliseconds(20),
                Evicting = key => Tell($"evict {key}")
            });
        s_pinned.AddRange(store.Pins.Keys("boot") ?? []);
        Tell($"open {store.Recovered.Objects}");
        int next = firstNumber;
        _ = Task.Run(async () =>
        {
            while (true)
            {
                ScrubReport report = await store.VerifyAsync(null, isRepairing: true);
                Tell($"scrubbed {report.Objects} {report.Damaged.Count}");
                await Task.Delay(20);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                await WriteAsync(store, Interlocked.Increment(ref next));
            }
        })));
    }

    private static async Task WriteAsync(FasterObjectStore store, int number)
    {
        if (number % 7 == 0)
        {
            string key = $"document/{number % 50}";
            await store.Documents.PutAsync(key, new StoredDocument(BitConverter.GetBytes(number), default, DateTimeOffset.UnixEpoch));
            Tell($"document {key} {number}");
            return;
        }

        CrashObject made = CrashObject.Make(number);
        if (number % 11 == 0)
        {
            made.Bytes[^1] ^= 1; // a lying upstream: must never be stored
        }

        await using ObjectWriter writer = store.BeginWrite(made.Key, number % 2 == 0 ? made.Bytes.Length : null);
        for (int at = 0; at < made.Bytes.Length; at += 50_000)
        {
            await writer.AppendAsync(made.Bytes.AsMemory(at, Math.Min(50_000, made.Bytes.Length - at)));
        }

        if (number % 13 == 0)
        {
            return; // an aborted fetch
        }

        writer.Verify();
        Tell($"{await writer.CommitAsync()} {number} {made.Key}");
        if (number % PinEvery == 0 && made.Bytes.Length < 100_000)
        {
            Pin(store, made.Key);
        }

        // warms some of what is there, so that the cleaner has something to keep
        if (store.TryOpen(CrashObject.Make(number - (number % 10)).Key, out ObjectLease? lease))
        {
            lease.Dispose();
        }
    }

    private static void Pin(FasterObjectStore store, ObjectKey key)
    {
        lock (s_pinned)
        {
            if (s_pinned.Count < MostPinned)
            {
                s_pinned.Add(key);
                if (store.Pins.Put("boot", s_pinned) == PinResult.Pinned && store.Contains(key))
                {
                    Tell($"pin {key}");
                }
            }
        }
    }

    private static void Tell(string line)
    {
        lock (Console.Out)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line}"));
            Console.Out.Flush();
        }
    }
}
