using System.Diagnostics;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;

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
        string path = args.Length > 2 ? args[2] : Directory.CreateTempSubdirectory("breakwater-heads-").FullName;
        StoreOptions options = new() { Path = path, QuotaBytes = 100L << 30, MinFreeBytes = 0 };
        if (args.Length > 2)
        {
            await OpenAsync(options, count);
            return 0;
        }

        try
        {
            await PutAsync(options, count, bytes);
            using Process another = Process.Start(Environment.ProcessPath!, [.. Own(), "heads", $"{count}", $"{bytes}", path]);
            await another.WaitForExitAsync();
            return another.ExitCode;
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>The memory of a process that opens them is not that of the one that put them.</summary>
    private static string[] Own() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(HeadScale).Assembly.Location] : [];

    private static async Task PutAsync(StoreOptions options, int count, int bytes)
    {
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(options);
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

    private static async Task OpenAsync(StoreOptions options, int count)
    {
        string named = Path.Combine(options.Path!, NamedStore.DirectoryName);
        Directory.Move(named, named + "-away");
        await using (await FasterObjectStore.OpenAsync(options))
        {
            // What the same store takes without them, and the runtime's first use of all this.
        }

        long without = GC.GetTotalMemory(forceFullCollection: true);
        Directory.Move(named + "-away", named);
        long opening = Stopwatch.GetTimestamp();
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(options);
        double seconds = Stopwatch.GetElapsedTime(opening).TotalSeconds;
        long heap = GC.GetTotalMemory(forceFullCollection: true) - without;
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

    private static string Name(int i) =>
        string.Create(CultureInfo.InvariantCulture, $"http://mirror.example.org/pool/main/p/package/package_{i}_amd64.deb");

    private static async Task<bool> PauseAsync()
    {
        await Task.Delay(1);
        return true;
    }
}
