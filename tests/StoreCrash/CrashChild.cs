using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Faster;

namespace Breakwater.StoreCrash;

/// <summary>
/// The process that is killed: writes objects and documents without end, and tells of each acknowledgement on its standard output, one line each, after
/// the store gave it. What stands in the pipe survives the process.
/// </summary>
internal static class CrashChild
{
    private const int Writers = 4;

    public static async Task RunAsync(string path, int firstNumber)
    {
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(
            new StoreOptions { Path = path, CommitInterval = TimeSpan.FromMilliseconds(20) });
        Tell($"open {store.Recovered.Objects}");
        int next = firstNumber;
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
        Tell($"{await writer.CommitAsync()} {number}");
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
