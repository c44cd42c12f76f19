using System.Diagnostics;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Faster;

namespace Breakwater.Micro;

/// <summary>
/// <c>heads [count] [bytes]</c>: so many heads of so many bytes: time to put them, memory, time to open them again, time to find one.
/// </summary>
internal static class HeadScale
{
    private const int Reads = 100_000;

    public static async Task<int> RunAsync(string[] args)
    {
        int count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        int bytes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 700;
        string path = Directory.CreateTempSubdirectory("breakwater-heads-").FullName;
        try
        {
            StoreOptions options = new() { Path = path, QuotaBytes = 100L << 30, MinFreeBytes = 0 };
            await using (FasterObjectStore store = await FasterObjectStore.OpenAsync(options))
            {
                long began = Stopwatch.GetTimestamp();
                byte[] head = new byte[bytes];
                for (int i = 0; i < count; i++)
                {
                    do
                    {
                        store.Named.Heads.Put(Name(i), head);
                    }
                    while (!store.Named.Heads.TryGet(Name(i), out _) && await PauseAsync()); // the log's pages in memory were full
                }

                Console.WriteLine($"put {count} heads of {bytes} bytes: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s");
            }

            long before = GC.GetTotalMemory(forceFullCollection: true);
            long opening = Stopwatch.GetTimestamp();
            await using (FasterObjectStore store = await FasterObjectStore.OpenAsync(options))
            {
                double seconds = Stopwatch.GetElapsedTime(opening).TotalSeconds;
                long heap = GC.GetTotalMemory(forceFullCollection: true) - before;
                Console.WriteLine($"open with {store.Named.Heads.Count} heads: {seconds:0.00} s; heap {heap >> 20} MiB");
                long reading = Stopwatch.GetTimestamp();
                Random random = new(1);
                int found = 0;
                for (int i = 0; i < Reads; i++)
                {
                    found += store.Named.Heads.TryGet(Name(random.Next(count)), out _) ? 1 : 0;
                }

                double microseconds = Stopwatch.GetElapsedTime(reading).TotalMicroseconds / Reads;
                Console.WriteLine($"find one of them: {microseconds:0.0} us; {found} of {Reads} found");
            }

            return 0;
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static string Name(int i) =>
        string.Create(CultureInfo.InvariantCulture, $"http://mirror.example.org/pool/main/p/package/package_{i}_amd64.deb");

    private static async Task<bool> PauseAsync()
    {
        await Task.Delay(1);
        return true;
    }
}
